package rules_test

import (
	"fmt"

	"autodiscover-guard/rules"
	"autodiscover-guard/rules/dialect"
)

// The incident in ten lines: what the policy says before the service is asked, and of its answer.
func ExamplePolicy_Judge() {
	policy, err := rules.New(rules.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	request := question("https://prod.autodetect.outlook.cloud.microsoft/autodetect/detect")
	request.Header["Authorization"] = []string{basic("email@example.com:password")}
	plan := policy.Plan(request, rules.From{})
	fmt.Println(plan.Step, plan.Decision.Rule, plan.Decision.Subjects)

	decision := policy.Judge(&plan, dialect.Answer{
		Status: 200,
		Header: dialect.Header{"Content-Type": {"application/json"}},
		Body:   []byte(`{"protocols":[{"protocol":"imap","hostname":"imapgms.jnet.sei.co.jp","port":993}]}`),
	})
	fmt.Println(decision.Action, decision.Reason)
	fmt.Printf("%s\n", decision.Answer.Body)
	// Output:
	// scrub documentation [example.com]
	// refuse 1 of 1 suggestions name hosts outside the rule
	// {"email":"email@example.com","services":[],"protocols":[]}
}
