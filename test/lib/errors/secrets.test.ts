import { collectSecrets, getWrittenSecrets, withoutSent } from '../../../lib/errors/secrets';

const KEY = ['sk', '9f8e/7d6c+5b4a=3210'].join('-');
const DIFY = '9vR3kQ7mT2xW8bN5cL1pZ6yH';
const basic = (pair: string) => `Basic ${btoa(pair)}`;
const encode = (pair: string) => btoa(pair).replace(/=+$/, '');

describe('the secrets', () => {
	test.each<[string, Record<string, string>, string[]]>([
		['a bearer key', { authorization: `Bearer ${KEY}` }, [KEY]],
		['a key with blanks', { authorization: `Bearer one ${KEY} two` }, [`one ${KEY} two`]],
		['a key in a header of its own', { 'x-api-key': KEY }, [KEY]],
		['a header with a scheme', { 'x-gateway': `Token ${KEY}` }, [`Token ${KEY}`, KEY]],
		[
			'user and password of Basic',
			{ authorization: basic('anna:correct4horse') },
			['anna:correct4horse', encode('anna:correct4horse'), 'correct4horse'],
		],
		[
			'a password of eight letters',
			{ authorization: basic('anna:horsebat') },
			['anna:horsebat', encode('anna:horsebat'), 'horsebat'],
		],
		[
			'a password that is a placeholder',
			{ authorization: basic('anna:changeme') },
			['anna:changeme', encode('anna:changeme')],
		],
		['cookies', { cookie: 'session=abcdef1234567890; theme=dark' }, ['abcdef1234567890']],
		[
			'cookies whose values have signs of equality, as base64',
			{ cookie: 'a=abcdef12345=67890==;b=fedcba0987654321=' },
			['abcdef12345=67890==', 'fedcba0987654321='],
		],
		['a key of an app', { authorization: `Bearer app-${DIFY}` }, [`app-${DIFY}`, DIFY]],
		['a knowledge key', { 'x-api-key': `dataset-${DIFY}` }, [`dataset-${DIFY}`, DIFY]],
		[
			'a key of an app behind a scheme',
			{ 'x-gateway': `Token app-${DIFY}` },
			[`Token app-${DIFY}`, `app-${DIFY}`, DIFY],
		],
		[
			'a key of an app as a password',
			{ authorization: basic(`anna:app-${DIFY}`) },
			[`anna:app-${DIFY}`, encode(`anna:app-${DIFY}`), `app-${DIFY}`, DIFY],
		],
		['a key whose rest is short', { authorization: 'Bearer app-key4711' }, ['app-key4711']],
		[
			'a key whose rest is a placeholder',
			{ authorization: `Bearer app-${'x'.repeat(24)}` },
			[`app-${'x'.repeat(24)}`],
		],
		[
			'a key whose rest is a word',
			{ authorization: 'Bearer dataset-production' },
			['dataset-production'],
		],
		['a key with a prefix in its middle', { 'x-api-key': `my-app-${DIFY}` }, [`my-app-${DIFY}`]],
		['placeholders', { authorization: 'Bearer no-key', 'x-api-key': 'ollama' }, []],
		['short words', { 'x-api-key': 'secret', 'x-team': 'production' }, []],
		[
			'headers that describe a request',
			{ 'user-agent': 'n8n-2.41.3-build-1234', 'x-forwarded-for': '192.168.100.200' },
			[],
		],
	])('of %s are whole values', (_name, headers, expected) => {
		expect(collectSecrets(headers)).toEqual(expected);
	});

	test('that are masked in what a model wrote have 20 characters that nobody knows', () => {
		const short = collectSecrets({ authorization: basic('administrator:correct4horse') });
		const long = collectSecrets({ authorization: basic(`anna:${KEY}`) });
		expect(getWrittenSecrets(short)).toEqual([]);
		expect(getWrittenSecrets(long)).toEqual(long);
		expect(getWrittenSecrets(['x'.repeat(19), 'x'.repeat(20)])).toEqual(['x'.repeat(20)]);
	});

	test.each([
		{ length: 19, isMasked: false },
		{ length: 20, isMasked: true },
		{ length: 21, isMasked: true },
	])('with a password of $length characters', ({ length, isMasked }) => {
		const pair = `anna:${KEY.repeat(2).slice(0, length)}`;
		const all = collectSecrets({ authorization: basic(pair) });
		expect(getWrittenSecrets(all)).toEqual(isMasked ? all : []);
	});

	test('that a request contains are none in its response, in any form and with what contains them', () => {
		const secrets = collectSecrets({
			authorization: basic(`anna:${KEY}`),
			'x-gateway': 'other-key-4711-x',
		});
		const body = (text: string) => ({ messages: [{ role: 'user', content: [{ text }] }] });
		expect(withoutSent(secrets, body('nothing'))).toBe(secrets);
		expect(withoutSent(secrets, undefined)).toBe(secrets);
		expect(withoutSent(secrets, body(`Say ${KEY}`))).toEqual(['other-key-4711-x']);
		expect(withoutSent(secrets, body(`Say ${encodeURIComponent(KEY)}`))).toEqual([
			'other-key-4711-x',
		]);
		expect(withoutSent(secrets, body(`Say ${KEY.slice(1)}`))).toBe(secrets);
	});
});
