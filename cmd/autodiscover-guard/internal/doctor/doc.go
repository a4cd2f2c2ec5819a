// Package doctor plays the discovery of real mail clients through a running guard, for made-up accounts with made-up passwords, and looks at
// what else a guarded computer depends on: the guard's health, its authority, who trusts that, the desktop's settings, clock, disk, and log.
//
//	report := doctor.Examine(ctx, doctor.Config{…})
//	report.Write(os.Stdout)
//
// # Accounts
//
// Every run makes up a local part (doctor- and 16 hexadecimal digits) and a password that says what it is. The accounts are on a
// documentation name (example.com), on a private-use name that nobody has (below .test), and on an unguarded name that nobody has (below
// .arpa, where the Internet Architecture Board delegates every name). An operator may add the domain of his own address; its local part is
// never used, because it would travel.
//
// # What leaves the computer
//
// Nothing that a client's own discovery would not send. For the guarded accounts the guard asks central services as its policy says, usually
// without secrets; for the private-use name it looks up names that do not exist. For the unguarded ones no question is asked: a tunnel is
// requested, and whoever answers its TLS handshake is compared with the authority. With a rule that only monitors, questions go where they went
// without a guard, with the made-up password.
//
// # How an answer is judged
//
// Twice. First without knowledge of the policy: a status, a header field or a broken connection that makes real clients ask for the password,
// try again or go elsewhere is wrong for whomever the policy guards. Then by the policy of the configuration file: a decision that is made twice
// changes nothing more, so an answer that the policy would still change was not decided by it.
//
// # Marks
//
// The exchanges that a run caused are told by their time, by its client address and by its subjects; the report lists the identifiers of their
// decision records. A User-Agent of the doctor's own could not serve: some servers answer by it.
package doctor
