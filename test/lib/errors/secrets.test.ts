import * as fc from 'fast-check';

import { failure } from '../../../lib/errors/failure';
import { httpFailure } from '../../../lib/errors/http-failure';
import { networkFailure } from '../../../lib/errors/network-failure';
import { mask, maskedStart, secretsOf } from '../../../lib/errors/secrets';
import { Agent, request } from '../../support/undici';
import { examples } from '../../support/properties';
import { fs, util } from '../../support/node';
import { startTcpServer } from '../../support/listening';

const URL_ASKED = 'http://10.0.0.5:8080/v1/chat/completions';
const CONTEXT = { url: URL_ASKED, root: 'http://10.0.0.5:8080', model: 'qwen3' };

/** The headers whose values are never masked, as SECURITY.md lists them: `accept-*` (charset, …), `x-forwarded-for`, `-host`. */
function openHeaders(): string[] {
	const page = fs.readFileSync('SECURITY.md', 'utf8');
	const [, list = ''] = /except of those that describe a request: (.*?);/s.exec(page) ?? [];
	const names: string[] = [];
	for (const [, name = '', ends] of list.matchAll(/`([^`]+)`(?: \(([^)]+)\))?/g)) {
		const start = name.startsWith('-') ? 'x-forwarded' : name.replace('-*', '-');
		if (ends !== undefined) names.push(...ends.split(', ').map((end) => start + end));
		else names.push(name.startsWith('-') ? start + name : name);
	}
	return names;
}

describe('secrets', () => {
	const SAMPLE = 'sk-"llama/1234567890+=';
	const HEADERS = {
		authorization: `Bearer ${SAMPLE}`,
		'x-proxy-token': 'pr0xy-t0ken',
		cookie: 'session=c00kie-value; lang=en',
	};
	const context = { ...CONTEXT, secrets: secretsOf(HEADERS) };
	const everywhere = (error: Error) =>
		[
			error.message,
			error.stack,
			String(error),
			JSON.stringify(error),
			JSON.stringify({ ...error }),
			util.inspect(error, { depth: 9, showHidden: true }),
		].join('\n');

	test('an echoed key is found in none of the forms of an error', () => {
		const said = `Key Bearer ${SAMPLE} refused, token pr0xy-t0ken, ${encodeURIComponent(SAMPLE)}, c00kie-value`;
		const errors = [
			httpFailure(
				{
					status: 401,
					body: JSON.stringify({
						error: { message: said, header: HEADERS.authorization, [SAMPLE]: [{ deep: SAMPLE }] },
					}),
					location: `/login?key=${SAMPLE}`,
				},
				context,
			),
			httpFailure({ status: 500, body: said }, context),
			httpFailure({ status: 500, body: `{"oops": ${JSON.stringify(said)}` }, context),
			httpFailure(
				{
					status: 302,
					body: '',
					location: `https://elsewhere/login?back=${encodeURIComponent(SAMPLE)}`,
				},
				context,
			),
			networkFailure(new Error(`invalid header ${SAMPLE}`), context),
			failure('streamError', context, { serverText: said, facts: { line: said } }),
		];
		for (const error of errors) {
			const shown = everywhere(error);
			for (const secret of [
				SAMPLE,
				encodeURIComponent(SAMPLE),
				JSON.stringify(SAMPLE).slice(1, -1),
				'pr0xy-t0ken',
				'c00kie-value',
			])
				expect(shown).not.toContain(secret);
			expect(shown).toContain('***');
		}
	});

	test('what undici knows of the request does not hang on the error', async () => {
		const { port, close } = await startTcpServer((socket) => socket.destroy());
		const raised = await request(`http://127.0.0.1:${port}/`, {
			headers: HEADERS,
			dispatcher: new Agent(),
		}).catch((error: unknown) => error);
		await close();
		expect(everywhere(networkFailure(raised, context))).not.toContain(SAMPLE);
	});

	describe('of which header', () => {
		const names = openHeaders();
		const value = fc
			.array(fc.constantFrom('a1', 'B2', 'c3', 'D4', '5e'), { minLength: 10, maxLength: 20 })
			.map((parts) => parts.join(''));
		const inAnyCase = (name: string) =>
			fc
				.array(fc.boolean(), { minLength: name.length, maxLength: name.length })
				.map((capitals) =>
					Array.from(name, (letter, at) => (capitals[at] ? letter.toUpperCase() : letter)).join(''),
				);

		test('those that SECURITY.md names, in any case, have no secrets', () => {
			const name = fc.constantFrom(...names).chain(inAnyCase);
			fc.assert(
				fc.property(name, value, (header, content) => {
					expect(secretsOf({ [header]: content })).toEqual([]);
				}),
				examples(500),
			);
		});

		test('any other is masked, also one that begins or ends like them', () => {
			const addition = fc.constantFrom('-', '-id', 'x-', 's', 'original-', '-key', '_', '.');
			const near = fc
				.tuple(fc.constantFrom(...names), addition, fc.boolean())
				.map(([name, added, isBefore]) => (isBefore ? added + name : name + added));
			const any = fc
				.array(fc.constantFrom(...'abcxyz-_.'), { minLength: 1, maxLength: 20 })
				.map((letters) => letters.join(''));
			const header = fc.oneof(near, any).filter((name) => !names.includes(name));
			fc.assert(
				fc.property(header.chain(inAnyCase), value, (name, content) => {
					expect(mask(`got ${content}.`, secretsOf({ [name]: content }))).toBe('got ***.');
				}),
				examples(500),
			);
		});
	});

	test('common words and short values are left alone', () => {
		expect(mask('Bearer tokens are fine', context.secrets)).toBe('Bearer tokens are fine');
		expect(mask('a key', secretsOf({ authorization: 'Bearer key' }))).toBe('a key');
		expect(mask(undefined, context.secrets)).toBeUndefined();
	});

	test('a key at the place where a text is cut is not shown by half', () => {
		const sample = 'Zk3vQ9xT7mB2nL5pR8wYc4';
		const own = { ...CONTEXT, secrets: secretsOf({ authorization: `Bearer ${sample}` }) };
		for (let before = 150; before <= 200; before++) {
			const failed = httpFailure(
				{ status: 500, body: `${'x'.repeat(before - 1)} ${sample} and more` },
				own,
			);
			expect(failed.serverText).not.toMatch(/Zk3v/);
			expect(
				maskedStart(`${'x'.repeat(before - 1)} ${sample}${'y'.repeat(9_999)}`, 200, own.secrets),
			).not.toMatch(/Zk3v/);
		}
		// Keys in a row make the text shorter, so that what was behind the cut moves in front of it.
		expect(maskedStart(sample.repeat(2_000), 500, own.secrets)).not.toMatch(/Zk3v/);
		expect(maskedStart('short', 500, own.secrets)).toBe('short');
	});

	test("words that are no keys do not garble a diagnosis: a model's name, placeholders, where a request comes from", () => {
		const said = 'model qwen3:8b not found at llama.cpp on team-a.lan, not-needed';
		for (const word of [
			'qwen',
			'qwen3',
			'llama.cpp',
			'not-needed',
			'sk-no-key-required',
			'ollama',
			'EMPTY',
		])
			expect(mask(said, secretsOf({ authorization: `Bearer ${word}` }))).toBe(said);
		expect(
			mask(said, secretsOf({ 'x-team': 'team-a.lan', 'x-forwarded-for': '1a2b3c4d5e6f7a8b9c' })),
		).toBe(said);
		expect(mask('model a1b2c3d4e5 of a1b2c3d4', secretsOf({ 'x-api-key': 'a1b2c3d4' }))).toBe(
			'model a1b2c3d4e5 of ***',
		);
	});

	test('user and password of Basic, as a server shows them that has decoded them', () => {
		const secrets = secretsOf({ authorization: `Basic ${btoa('anna:s3cret-pass')}` });
		expect(mask('refused anna:s3cret-pass (s3cret-pass)', secrets)).toBe('refused *** (***)');
		expect(mask(`refused ${btoa('anna:s3cret-pass')}`, secrets)).toBe('refused ***');
	});

	test('a value that only looks random is hidden under any name of a header', () => {
		expect(
			mask('tenant 9f86d081884c7d659a2f', secretsOf({ 'x-tenant': '9f86d081884c7d659a2f' })),
		).toBe('tenant ***');
	});

	test("our own sentence and URL are left alone, even where a header's value is a common word", () => {
		const failed = failure('refused', {
			url: 'http://127.0.0.1:1/v1',
			secrets: secretsOf({ 'x-forwarded-proto': 'http', 'x-who': 'Nothing' }),
		});
		expect(failed.message).toBe('Nothing listens on 127.0.0.1:1, seen from n8n');
	});
});

test('a text that breaks off inside a key does not show half of it', () => {
	const value = 'Zq7Kx3Vw9Rt2Yp5Lm8Nc';
	const secrets = secretsOf({ authorization: `Bearer ${value}` });
	for (let length = 10; length < value.length; length += 1) {
		const masked = mask(`Refused: ${value.slice(0, length)}`, secrets);
		expect(masked).toBe('Refused: ***');
	}
	expect(mask('Refused: Zq7', secrets)).toBe('Refused: Zq7');
	expect(mask('', secrets)).toBe('');
});
