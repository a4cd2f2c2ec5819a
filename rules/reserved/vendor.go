package reserved

// vendorRows are registered domains that their owners use as examples in their manuals. Some have web sites and mail, so guarding them is
// the operator's choice. Microsoft has no public list of all of its fictitious names; where a document of its shows a name as an example,
// that document is cited, otherwise the list that its authors work from.
var vendorRows = []Entry{
	{Name: "adatum.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "adventure-works.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "alpineskihouse.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "bellowscollege.com", Nature: Documentation, Authority: "Microsoft", Citation: fictitiousSource},
	{Name: "cohovineyard.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "cohowinery.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "consolidatedmessenger.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "contoso.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "cpandl.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "fabrikam.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "fourthcoffee.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "graphicdesigninstitute.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "humongousinsurance.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "litwareinc.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "lucernepublishing.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "margiestravel.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "northwindtraders.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "proseware.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "southridgevideo.com", Nature: Documentation, Authority: "Microsoft", Citation: fictitiousSource},
	{Name: "tailspintoys.com", Nature: Documentation, Authority: "Microsoft", Citation: cppSource},
	{Name: "thephone-company.com", Nature: Documentation, Authority: "Microsoft", Citation: importersSource},
	{Name: "treyresearch.net", Nature: Documentation, Authority: "Microsoft", Citation: importersSource},
	{Name: "vanarsdelltd.com", Nature: Documentation, Authority: "Microsoft", Citation: fictitiousSource},
	{Name: "wideworldimporters.com", Nature: Documentation, Authority: "Microsoft", Citation: fictitiousSource},
	{Name: "wingtiptoys.com", Nature: Documentation, Authority: "Microsoft", Citation: fictitiousSource},
	{Name: "woodgrovebank.com", Nature: Documentation, Authority: "Microsoft", Citation: importersSource},
	{Name: "altostrat.com", Nature: Documentation, Authority: "Google", Citation: googleSource},
	{Name: "cymbalgroup.com", Nature: Documentation, Authority: "Google", Citation: googleSource},
	{Name: "example-pet-store.com", Nature: Documentation, Authority: "Google", Citation: googleSource},
	{Name: "examplepetstore.com", Nature: Documentation, Authority: "Google", Citation: googleSource},
	{Name: "my-own-personal-domain.com", Nature: Documentation, Authority: "Google", Citation: googleSource},
	{Name: "myownpersonaldomain.com", Nature: Documentation, Authority: "Google", Citation: googleSource},
}

const (
	cppSource        = "Microsoft C++ documentation, oversubscription example"
	importersSource  = "Microsoft sample database WideWorldImporters, suppliers"
	fictitiousSource = "Microsoft list of fictitious names for samples (unpublished)"
	googleSource     = "Google developer documentation style guide, example domains and names"
)
