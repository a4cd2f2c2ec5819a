package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxParallelClients is how many clients ask at the same time.
const maxParallelClients = 6

// clientRun is one client's sequence of questions for one account.
type clientRun struct {
	client    client
	account   account
	exchanges []*exchange
}

// sequences plays every client for every guarded account.
func (e *examination) sequences(ctx context.Context) []Finding {
	var all []*clientRun
	for _, a := range e.accounts {
		for _, c := range clients {
			p := &clientRun{client: c, account: a}
			for _, q := range c.questions {
				r, err := c.ask(q, a)
				if err != nil {
					return []Finding{fail(a.domain, err.Error(), "name an address with --email as you write it in a mail program")}
				}
				p.exchanges = append(p.exchanges, e.plan(r))
			}
			all = append(all, p)
		}
	}
	var running sync.WaitGroup
	slots := make(chan struct{}, maxParallelClients)
	for _, p := range all {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			p.play(ctx, e.route)
		})
	}
	running.Wait()
	var found []Finding
	for _, p := range all {
		e.exchanges = append(e.exchanges, p.exchanges...)
		found = append(found, e.judge(p))
	}
	return found
}

// play asks the questions over connections of the client's own.
func (p *clientRun) play(ctx context.Context, w route) {
	transport := w.transport()
	defer transport.CloseIdleConnections()
	var running sync.WaitGroup
	for _, x := range p.exchanges {
		switch {
		case x.skip != "":
		case p.client.parallel:
			running.Go(func() { x.send(ctx, transport) })
		default:
			x.send(ctx, transport)
		}
	}
	running.Wait()
}

// judge says how a client fared: the worst of its exchanges, or what it was told.
func (e *examination) judge(p *clientRun) Finding {
	domain, asked := p.account.domain, 0
	left, dialects, own := map[skipReason]int{}, map[string]bool{}, map[string]int{}
	worst := ok(domain, "")
	for _, x := range p.exchanges {
		if x.skip != "" {
			left[x.skip]++
			continue
		}
		asked++
		dialects[x.plan.Inquiry.Dialect.String()] = true
		if f := e.verdict(x, domain); f.worse(worst) {
			worst = f
		}
		if noise := disturbance(x.answer); x.err == nil && noise != "" && e.ownWord(x) {
			own[noise]++
		}
	}
	worst.Subject = p.client.name + ", " + domain
	switch {
	case worst.What != "":
	case asked == 0:
		return unasked(worst.Subject, domain, left)
	default:
		worst.What = fmt.Sprintf("%d of %d questions asked (%s), each answered natively and quietly", asked, len(p.exchanges), strings.Join(slices.Sorted(maps.Keys(dialects)), ", "))
		for _, noise := range slices.Sorted(maps.Keys(own)) {
			worst.What += fmt.Sprintf("; %d as a host of the rule answers: %s", own[noise], noise)
		}
	}
	if n := left[skipUnguarded]; n > 0 && worst.State == OK {
		return warning(worst.Subject, fmt.Sprintf("%s; %d are not guarded", worst.What, n), doGuard(domain))
	}
	return worst
}

// unasked is for a client that nothing was asked for.
func unasked(subject, domain string, left map[skipReason]int) Finding {
	if left[skipUnguarded] > 0 || domain == documentation {
		return warning(subject, domain+" is not guarded by this configuration", doGuard(domain))
	}
	return skipped(subject, "the policy opens none of the hosts that it asks")
}

func doGuard(domain string) string {
	return fmt.Sprintf("autodiscover-guard check --email user@%s says why; policy.sets and policy.rules say who is guarded", domain)
}

// thunderbirdTimeout is how long Thunderbird 153 waits for one answer, but for that of its ISPDB.
const thunderbirdTimeout = 5 * time.Second

// speed looks at the slowest answer.
func (e *examination) speed(context.Context) []Finding {
	var slowest *exchange
	slow := 0
	for _, x := range e.exchanges {
		if x.skip != "" || x.err != nil {
			continue
		}
		if x.took > thunderbirdTimeout {
			slow++
		}
		if slowest == nil || x.took > slowest.took {
			slowest = x
		}
	}
	if slowest == nil {
		return []Finding{skipped("", "nothing was answered")}
	}
	what := fmt.Sprintf("the slowest of %d answers took %s: %s", e.answeredCount(), slowest.took.Round(time.Millisecond), slowest.question())
	if slow > 0 {
		return []Finding{warning("", fmt.Sprintf("%s; %d took longer than the %s that Thunderbird waits", what, slow, thunderbirdTimeout),
			"see why names or services are slow to answer the guard (its name server, its way out); a rule with upstream: never asks nobody")}
	}
	return []Finding{ok("", what)}
}
