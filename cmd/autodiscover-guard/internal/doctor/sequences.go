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

// busy is how many clients ask at the same time.
const busy = 6

// played is one client's sequence for one account.
type played struct {
	client    client
	account   account
	exchanges []*exchange
}

// sequences plays every client for every guarded account.
func (e *examination) sequences(ctx context.Context) []Finding {
	var all []*played
	for _, a := range e.accounts {
		for _, c := range clients {
			p := &played{client: c, account: a}
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
	seats := make(chan struct{}, busy)
	for _, p := range all {
		running.Go(func() {
			seats <- struct{}{}
			defer func() { <-seats }()
			p.play(ctx, e.way)
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
func (p *played) play(ctx context.Context, w way) {
	transport := w.transport()
	defer transport.CloseIdleConnections()
	var running sync.WaitGroup
	for _, x := range p.exchanges {
		switch {
		case x.left != "":
		case p.client.parallel:
			running.Go(func() { x.send(ctx, transport) })
		default:
			x.send(ctx, transport)
		}
	}
	running.Wait()
}

// judge says how a client fared: the worst of its exchanges, or what it was told.
func (e *examination) judge(p *played) Finding {
	domain, asked := p.account.domain, 0
	left, dialects := map[leaving]int{}, map[string]bool{}
	worst := ok(domain, "")
	for _, x := range p.exchanges {
		if x.left != "" {
			left[x.left]++
			continue
		}
		asked++
		dialects[x.plan.Inquiry.Dialect.String()] = true
		if f := e.verdict(x, domain); f.State.worse(worst.State) {
			worst = f
		}
	}
	worst.Subject = p.client.name + ", " + domain
	switch {
	case worst.What != "":
	case asked == 0:
		return unasked(worst.Subject, domain, left)
	default:
		worst.What = fmt.Sprintf("%d of %d questions asked (%s), each answered natively and quietly", asked, len(p.exchanges), strings.Join(slices.Sorted(maps.Keys(dialects)), ", "))
	}
	if n := left[leftUnguarded]; n > 0 && worst.State == OK {
		return warning(worst.Subject, fmt.Sprintf("%s; %d are not guarded", worst.What, n), doGuard(domain))
	}
	return worst
}

// unasked is for a client that nothing was asked for.
func unasked(subject, domain string, left map[leaving]int) Finding {
	if left[leftUnguarded] > 0 || domain == documentation {
		return warning(subject, domain+" is not guarded by this configuration", doGuard(domain))
	}
	return skipped(subject, "the policy opens none of the hosts that it asks")
}

func doGuard(domain string) string {
	return fmt.Sprintf("autodiscover-guard check --email user@%s says why; policy.sets and policy.rules say who is guarded", domain)
}

// impatient is how long Thunderbird 153 waits for one answer, but for that of its ISPDB.
const impatient = 5 * time.Second

// speed looks at the slowest answer.
func (e *examination) speed(context.Context) []Finding {
	var slowest *exchange
	slow := 0
	for _, x := range e.exchanges {
		if x.left != "" || x.err != nil {
			continue
		}
		if x.took > impatient {
			slow++
		}
		if slowest == nil || x.took > slowest.took {
			slowest = x
		}
	}
	if slowest == nil {
		return []Finding{skipped("", "nothing was answered")}
	}
	what := fmt.Sprintf("the slowest of %d answers took %s: %s", e.asked(), slowest.took.Round(time.Millisecond), slowest.asked())
	if slow > 0 {
		return []Finding{warning("", fmt.Sprintf("%s; %d took longer than the %s that Thunderbird waits", what, slow, impatient),
			"see why names or services are slow to answer the guard (its name server, its way out); a rule with upstream: never asks nobody")}
	}
	return []Finding{ok("", what)}
}
