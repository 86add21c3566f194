package dissect

// appOfHost returns the application that a host's name stands for, by the
// longest suffix of whole labels that is known; 0 = none.
func appOfHost(host []byte) uint16 {
	for {
		if id, ok := appsOfHosts[string(host)]; ok {
			return id
		}
		i := 0
		for i < len(host) && host[i] != '.' {
			i++
		}
		if i == len(host) {
			return 0
		}
		host = host[i+1:]
	}
}

// A brand is what nDPI has a number for, and the domains that belong to it.
type brand struct {
	app     uint16
	domains []string
}

// brands holds domains that everybody knows. The list is our own: who owns a
// domain is on its front page.
var brands = []brand{
	{39, []string{"signal.org", "whispersystems.org"}},
	{47, []string{"xbox.com", "xboxlive.com"}},
	{48, []string{"qq.com", "gtimg.com", "qpic.cn"}},
	{49, []string{"tiktok.com", "tiktokcdn.com", "tiktokv.com", "musical.ly", "byteoversea.com"}},
	{55, []string{"zattoo.com"}},
	{58, []string{"discord.com", "discord.gg", "discordapp.com", "discordapp.net", "discord.media"}},
	{70, []string{"yahoo.com", "yimg.com", "yahooapis.com"}},
	{71, []string{"disneyplus.com", "disney-plus.net", "dssott.com", "bamgrid.com"}},
	{74, []string{"steampowered.com", "steamcommunity.com", "steamstatic.com", "steamcontent.com", "steamusercontent.com"}},
	{76, []string{"worldofwarcraft.com"}},
	{90, []string{"tumblr.com"}},
	{110, []string{"avs-alexa-eu.amazon.com", "avs-alexa-na.amazon.com", "alexa.amazon.com"}},
	{118, []string{"slack.com", "slack-edge.com", "slack-msgs.com", "slack-imgs.com", "slackb.com"}},
	{119, []string{"facebook.com", "facebook.net", "fbcdn.net", "fbsbx.com", "fb.com"}},
	{120, []string{"twitter.com", "twimg.com", "t.co", "x.com"}},
	{121, []string{"dropbox.com", "dropboxstatic.com", "dropboxusercontent.com"}},
	{122, []string{"gmail.com", "mail.google.com", "googlemail.com", "smtp.gmail.com", "imap.gmail.com"}},
	{123, []string{"maps.google.com", "maps.googleapis.com", "maps.gstatic.com"}},
	{124, []string{"youtube.com", "googlevideo.com", "ytimg.com", "youtu.be", "youtube-nocookie.com", "youtubei.googleapis.com", "youtube.googleapis.com", "yt3.ggpht.com"}},
	{125, []string{"skype.com", "skypeassets.com", "skypedata.akadns.net", "lync.com"}},
	{126, []string{"google.com", "gstatic.com", "google.de", "google.it", "google.fr", "google.es", "google.co.uk", "google.ch", "google.at", "googleusercontent.com", "ggpht.com", "withgoogle.com", "1e100.net", "google"}},
	{132, []string{"citrix.com", "citrixonline.com"}},
	{133, []string{"netflix.com", "netflix.net", "nflxext.com", "nflximg.net", "nflximg.com", "nflxso.net", "nflxvideo.net"}},
	{134, []string{"last.fm"}},
	{135, []string{"waze.com"}},
	{136, []string{"upload.youtube.com"}},
	{137, []string{"hulu.com", "hulustream.com"}},
	{140, []string{"apple.com", "mzstatic.com", "cdn-apple.com", "apple-dns.net", "aaplimg.com"}},
	{141, []string{"webex.com", "wbx2.com", "ciscospark.com"}},
	{142, []string{"whatsapp.com", "whatsapp.net"}},
	{143, []string{"icloud.com", "icloud-content.com"}},
	{144, []string{"viber.com"}},
	{145, []string{"itunes.com", "itunes.apple.com"}},
	{147, []string{"windowsupdate.com", "update.microsoft.com"}},
	{148, []string{"teamviewer.com"}},
	{156, []string{"spotify.com", "scdn.co", "spotifycdn.com", "pscdn.co"}},
	{157, []string{"messenger.com"}},
	{163, []string{"torproject.org"}},
	{169, []string{"ubuntuone.com", "one.ubuntu.com"}},
	{173, []string{"nintendo.net", "nintendo.com"}},
	{176, []string{"wikipedia.org", "wikimedia.org", "mediawiki.org", "wikibooks.org", "wiktionary.org", "wikidata.org"}},
	{178, []string{"amazon.com", "amazon.de", "amazon.co.uk", "amazon.it", "amazon.fr", "amazon.es", "media-amazon.com", "ssl-images-amazon.com", "images-amazon.com", "amazon-adsystem.com"}},
	{179, []string{"ebay.com", "ebaystatic.com", "ebayimg.com", "ebay.de", "ebay.it"}},
	{180, []string{"cnn.com"}},
	{183, []string{"pinterest.com", "pinimg.com"}},
	{185, []string{"telegram.org", "telegram.me", "t.me"}},
	{187, []string{"pandora.com"}},
	{189, []string{"zoom.us", "zoom.com"}},
	{191, []string{"speedtest.net", "ookla.com"}},
	{195, []string{"twitch.tv", "ttvnw.net", "jtvnw.net", "twitchcdn.net"}},
	{196, []string{"dns.google", "cloudflare-dns.com", "dns.quad9.net", "doh.opendns.com", "dns.nextdns.io", "dns.adguard.com", "doh.cleanbrowsing.org"}},
	{197, []string{"wechat.com", "weixin.qq.com", "wx.qq.com", "weixin.com"}},
	{199, []string{"snapchat.com", "sc-cdn.net", "sc-static.net", "snap-dev.net"}},
	{200, []string{"weibo.com", "weibo.cn", "sina.com.cn", "sinaimg.cn"}},
	{203, []string{"github.com", "github.io", "githubusercontent.com", "githubassets.com", "github.dev"}},
	{205, []string{"reddit.com", "redditmedia.com", "redditstatic.com", "redd.it"}},
	{210, []string{"deezer.com", "dzcdn.net"}},
	{211, []string{"instagram.com", "cdninstagram.com"}},
	{212, []string{"microsoft.com", "msn.com", "bing.com", "live.com", "microsoftonline.com", "msftncsi.com", "msftconnecttest.com", "windows.com", "msedge.net", "s-microsoft.com", "microsoft"}},
	{216, []string{"imo.im"}},
	{217, []string{"drive.google.com"}},
	{219, []string{"office.com", "office365.com", "office.net", "outlook.com", "sharepoint.com", "onmicrosoft.com"}},
	{220, []string{"cloudflare.com", "cloudflare.net", "cloudflareinsights.com", "cloudflare-quic.com"}},
	{221, []string{"onedrive.com", "onedrive.live.com", "1drv.com", "livefilestore.com"}},
	{224, []string{"apps.apple.com", "itunes-apple.com.akadns.net"}},
	{225, []string{"opendns.com"}},
	{228, []string{"play.google.com", "android.clients.google.com", "play.googleapis.com"}},
	{231, []string{"playstation.com", "playstation.net", "sonyentertainmentnetwork.com"}},
	{232, []string{"pastebin.com"}},
	{233, []string{"linkedin.com", "licdn.com"}},
	{234, []string{"soundcloud.com", "sndcdn.com"}},
	{238, []string{"push.apple.com"}},
	{239, []string{"googleapis.com", "googletagmanager.com", "googletagservices.com", "google-analytics.com", "googlesyndication.com", "googleadservices.com", "doubleclick.net", "gvt1.com", "gvt2.com"}},
	{240, []string{"primevideo.com", "aiv-cdn.net", "aiv-delivery.net", "atv-ps.amazon.com"}},
	{241, []string{"docs.google.com"}},
	{250, []string{"teams.microsoft.com", "teams.live.com", "teams.microsoft.us", "teams.office.com"}},
	{252, []string{"anydesk.com"}},
	{262, []string{"gitlab.com", "gitlab.io"}},
	{265, []string{"amazonaws.com", "aws.amazon.com", "cloudfront.net", "awsstatic.com", "amazontrust.com"}},
	{266, []string{"salesforce.com", "force.com", "salesforceliveagent.com"}},
	{267, []string{"vimeo.com", "vimeocdn.com"}},
	{274, []string{"alibaba.com", "alicdn.com", "aliyun.com", "aliyuncs.com", "taobao.com", "aliexpress.com"}},
	{275, []string{"crashlytics.com"}},
	{276, []string{"azure.com", "azure.net", "azureedge.net", "azurewebsites.net", "windows.net", "azure-dns.com", "cloudapp.net"}},
	{277, []string{"mask.icloud.com", "mask-h2.icloud.com", "mask-api.icloud.com"}},
	{279, []string{"badoo.com", "badoocdn.com"}},
	{280, []string{"accuweather.com"}},
	{281, []string{"classroom.google.com"}},
}

// appsOfHosts finds a brand by a domain.
var appsOfHosts = func() map[string]uint16 {
	m := map[string]uint16{}
	for _, b := range brands {
		for _, d := range b.domains {
			m[d] = b.app
		}
	}
	return m
}()
