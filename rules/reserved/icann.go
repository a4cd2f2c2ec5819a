package reserved

// icannRows are what the ICANN board promised never to delegate so that private networks may use it. It is a decision about the root
// zone, not an entry of the IETF's registry.
var icannRows = []Entry{
	{
		Name: "internal", Nature: PrivateUse, Authority: "ICANN", Citation: "ICANN Board resolution 2024.07.29.06",
		Note: "29 July 2024, after SAC113; RFC 6762, appendix G had seen it in use",
	},
}

// informalRows are names that networks took for themselves. Nothing keeps corp, home and mail from being sought again, and nobody
// reserved the others at all, which is why the set is off by default. home is not home.arpa.
var informalRows = []Entry{
	{
		Name: "corp", Nature: PrivateUse, Authority: "ICANN", Citation: "ICANN Board resolution 2018.02.04.12",
		Note: "not delegated because of collisions; also RFC 6762, appendix G",
	},
	{
		Name: "home", Nature: PrivateUse, Authority: "ICANN", Citation: "ICANN Board resolution 2018.02.04.12",
		Note: "not delegated because of collisions; also RFC 6762, appendix G",
	},
	{
		Name: "mail", Nature: PrivateUse, Authority: "ICANN", Citation: "ICANN Board resolution 2018.02.04.12",
		Note: "not delegated because of collisions",
	},
	{Name: "intranet", Nature: PrivateUse, Authority: "none (custom)", Citation: "RFC 6762, appendix G"},
	{Name: "private", Nature: PrivateUse, Authority: "none (custom)", Citation: "RFC 6762, appendix G"},
	{Name: "lan", Nature: PrivateUse, Authority: "none (custom)", Citation: "RFC 6762, appendix G"},
	{
		Name: "localdomain", Nature: PrivateUse, Authority: "none (custom)", Citation: "hosts file of Linux distributions",
		Note: "localhost.localdomain for 127.0.0.1",
	},
}
