<?php
// Reads clientConfig with Horde's driver (Debian: php-horde-mail-autoconfig), whose HTTP client is stood in for by the documents.
//
//   php horde.php  <  JSON list of {address, text}  >  JSON list of readings
error_reporting(E_ALL & ~E_DEPRECATED); // the package is older than the PHP
spl_autoload_register(fn ($class) => include str_replace('_', '/', $class) . '.php');

class Fetched
{
    public $code = 200;

    public function __construct(public string $text) {}

    public function get($url) { return $this; }

    public function getBody() { return $this->text; }
}

function reading(object $document): array
{
    $driver = new Horde_Mail_Autoconfig_Driver_Thunderbird();
    $driver->http = new Fetched($document->text);
    $opts = ['email' => new Horde_Mail_Rfc822_Address($document->address)];
    $found = array_merge(
        $driver->mailSearch(['lab.test'], $opts + ['no_pop3' => true]) ?: [],
        $driver->mailSearch(['lab.test'], $opts + ['no_imap' => true]) ?: [],
        $driver->msaSearch(['lab.test'], $opts) ?: []
    );
    if (!$found) {
        return ['none' => 'nothing found'];
    }
    $protocols = ['Imap' => 'imap', 'Pop3' => 'pop3', 'Msa' => 'smtp'];
    return ['name' => $found[0]->label, 'servers' => array_map(fn ($s) => [
        'protocol' => $protocols[substr(strrchr(get_class($s), '_'), 1)], 'host' => $s->host, 'port' => $s->port,
        'encryption' => $s->tls === 'tls' ? 'ssl' : '', 'username' => $s->username,
    ], $found)];
}

echo json_encode(array_map('reading', json_decode(stream_get_contents(STDIN))));
