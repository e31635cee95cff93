const host = 'generativelanguage.googleapis.com';

/**
 * Addresses that no provider may ever send anything to: this machine and private networks in every notation, hosts that
 * look like a vendor's, and spellings that parsers read in different ways.
 *
 * @param port One on which this machine listens, to see whether somebody comes.
 */
export function foreignAddresses(port: number): string[] {
  const schemes = ['http', 'https'].flatMap((scheme) => [
    `${scheme}://127.0.0.1:${port}`, `${scheme}://localhost:${port}`, `${scheme}://[::1]:${port}`,
  ]);
  const thisMachine = [
    '127.1', '127.0.1', '0', '0.0.0.0', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001', '127.0.0.2', '[::]',
    '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', 'localhost.', 'LOCALHOST',
    'localhost.localdomain', 'ip6-localhost', '127.0.0.1.nip.io', 'localtest.me', '①②⑦.⓪.⓪.①', '127。0。0。1', 'ｌｏｃａｌｈｏｓｔ',
  ].map((name) => `http://${name}:${port}/`);
  const networks = [
    'http://169.254.169.254', 'http://169.254.169.254/latest/meta-data/', 'http://2852039166', 'http://0xa9fea9fe', 'http://[::ffff:a9fe:a9fe]',
    'http://[fd00:ec2::254]', 'http://metadata.google.internal/computeMetadata/v1/', 'https://metadata', 'http://100.100.100.200',
    'https://10.0.0.1', 'https://172.16.0.1', 'https://192.168.1.1', 'https://100.64.0.1', 'https://[fc00::1]', 'https://[fe80::1]', 'https://224.0.0.1', 'https://255.255.255.255',
  ];
  const lookAlikes = [
    `http://${host}`, `https://${host}.evil.example`, `https://${host}.`, `https://evil.example/${host}`, `https://evil-${host}`, `https://evil.${host}`,
    'https://generativelanguage-googleapis.com', 'https://generativelanguage.googleapis.co', 'https://generativelanguage.googleapis.com.co',
    'https://generativelanguageXgoogleapis.com', 'https://generativelanguage.googleapis.comm', 'https://googleapis.com', 'https://storage.googleapis.com',
    'https://generative1anguage.googleapis.com', 'https://generativelanguage.goog1eapis.com', 'https://gеnerativelanguage.googleapis.com',
    'https://api.openai.com.evil.example', 'https://evilapi.openai.com', 'https://api-openai.com', 'https://api.openai.com.', 'https://openai.com.api.evil.example',
    'https://evil.example/.api.openai.com', 'https://a.b.api.openai.com', 'https://aiplatform.googleapis.com.evil.example', 'https://evil.aiplatform.googleapis.com',
    'https://texttospeech.googleapis.com.evil.example', 'https://evil.texttospeech.googleapis.com', 'https://EVIL.EXAMPLE', 'https://xn--80ak6aa92e.com',
  ];
  const spellings = [
    `https://user@${host}`, `https://user:pass@${host}`, `https://${host}@evil.example`, `https://${host}:443@evil.example`, `https://evil.example#@${host}`,
    `https://evil.example?@${host}`, `https://evil.example\\@${host}`, `https://${host}\\.evil.example`, `https:\\\\evil.example\\${host}`, `https://${host}%2eevil.example`,
    `https://%67enerativelanguage.googleapis.com`, `https://${host}%00.evil.example`, `https://${host}%0d%0aHost:evil.example`, `https://${host}\r\nHost: evil.example`,
    `https://${host}\n`, `https://${host} `, ` https://${host}`, `\thttps://${host}`, `https://${host}:8443`, `https://${host}:80`, `https://${host}:0`, `https://${host}:99999`,
    `https://${host}?x=1`, `https://${host}/?x=1`, `https://${host}#x`, `https://${host}/#`, `https://generativelanguage。googleapis。com`, `https://generativelanguage．googleapis．com`,
    `https://ｇｅｎｅｒａｔｉｖｅｌａｎｇｕａｇｅ.googleapis.com`, `https://generativelanguage.google\u00adapis.com`, `https://generativelanguage.googleapis.com\u200b`, `https://${host}/${'a'.repeat(5_000)}`,
    `https://${'a.'.repeat(2_000)}example`, `https://${host};evil.example`, `https://${host},evil.example`, `https://[${host}]`, `https://${host}|evil`, `https://{${host}}`, 'https://*.googleapis.com',
  ];
  const otherSchemes = [
    'file:///etc/passwd', `file://${host}/etc/passwd`, `ftp://${host}`, `gopher://127.0.0.1:${port}/_x`, 'data:text/plain,x', `ws://${host}`, `wss://${host}`,
    'javascript:alert(1)', `blob:https://${host}/x`, `dict://127.0.0.1:${port}/`, `ldap://127.0.0.1:${port}/`, `jar:https://${host}!/`, `//${host}`, host, `https:evil.example`, `https:/evil.example`, `https:///evil.example`,
    'not an address', '/', '.', ' ', 'https://', 'http://', '://', 'null', 'undefined',
  ];
  return [...schemes, ...thisMachine, ...networks, ...lookAlikes, ...spellings, ...otherSchemes];
}
