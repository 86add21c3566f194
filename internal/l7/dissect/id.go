package dissect

// nDPI's numbers of what is recognised here. The test holds them to the names
// in package l7.
const (
	appDNS         = 5
	appHTTP        = 7
	appMDNS        = 8
	appPOPS        = 23
	appVMware      = 28
	appSMTPS       = 29
	appDTLS        = 30
	appIMAPS       = 51
	appOCSP        = 63
	appTLS         = 91
	appHTTPConnect = 130
	appHTTPProxy   = 131
	appLLMNR       = 154
	appQUIC        = 188
	appDoHDoT      = 196
	appDNScrypt    = 208
	appWebSocket   = 251
	appSOAP        = 253
)
