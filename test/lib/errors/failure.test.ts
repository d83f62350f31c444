import { describe as describeError } from '../../../lib/errors/description';
import { failure } from '../../../lib/errors/failure';
import type { FailureKind } from '../../../lib/errors/kinds';
import { isLoopback, remedyFor, seconds, type RemedyFacts } from '../../../lib/errors/remedies';
import { DIFY_REMEDIES } from '../../../lib/errors/remedies/dify';
import { MODEL_REMEDIES } from '../../../lib/errors/remedies/model';
import { NETWORK_REMEDIES } from '../../../lib/errors/remedies/network';
import { ServerError } from '../../../lib/errors/server-error';

const URL_ASKED = 'http://10.0.0.5:8080/v1/chat/completions';

describe('ServerError', () => {
	const failed = new ServerError({
		kind: 'connectionLost',
		message: 'It broke',
		remedy: 'Mend it.',
		url: URL_ASKED,
		status: 200,
		facts: { a: 1 },
	});

	test('a short title, and where it happened beside it', () => {
		expect(failed).toMatchObject({ name: 'ServerError', message: 'It broke', meaning: 'It broke', url: URL_ASKED });
		expect(new ServerError({ kind: 'busy', message: 'No', remedy: '.' }).retryable).toBe(true);
		expect(failed.retryable).toBe(false);
	});

	test('takes what had arrived, and further facts, and stays the same otherwise', () => {
		const more = failed.withPartial({ text: 'Hel', reasoning: 'hm' }).withFacts({ b: 2 });
		expect(more).toMatchObject({
			...failed,
			message: failed.message,
			partialText: 'Hel',
			partialReasoning: 'hm',
			facts: { a: 1, b: 2 },
		});
		expect(more.withPartial({}).partialText).toBe('Hel');
	});
});

describe('remedies', () => {
	const TABLES = { network: NETWORK_REMEDIES, model: MODEL_REMEDIES, dify: DIFY_REMEDIES };
	const ROWS = Object.entries(TABLES).flatMap(([table, rows]) =>
		Object.keys(rows).map((kind) => [table, kind as FailureKind] as const),
	);
	/** All that a title can name, as long as it gets. */
	const FACTS: RemedyFacts = {
		url: 'https://llm-server.example.com:8443/v1/chat/completions',
		root: 'https://llm-server.example.com:8443',
		host: 'llm-server.example.com',
		port: '8443',
		code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
		limitMs: 5_400_000,
		status: 524,
		model: 'qwen3-30b-a3b-instruct-2507',
		location: 'https://llm-server.example.com:8443/login?next=/v1/chat/completions',
		promptTokens: 131_072,
		contextTokens: 32_768,
		modality: 'image',
		tool: 'search_the_knowledge_base',
		maxTokens: 32_768,
	};

	test.each(ROWS)('%s, %s: a title, a meaning and an advice, with and without facts', (table, kind) => {
		const service = table === 'dify' ? ('dify' as const) : undefined;
		for (const facts of [{}, FACTS]) {
			const { message, meaning, remedy } = failure(kind, { service }, { about: facts });
			for (const text of [message, meaning, remedy]) expect(text).not.toMatch(/undefined|NaN| {2}|\(\)|""/);
			expect(message).toMatch(/^[A-Zn].*[^.]$/);
			expect(meaning).toMatch(/^[A-Zn].*[^.]$/);
			expect(remedy).toMatch(/^[A-Z'].*\.$/);
			expect(remedyFor(kind, { service, ...facts }).title.length).toBeLessThanOrEqual(110);
		}
		expect(failure(kind, { service }).message.length).toBeLessThanOrEqual(80);
	});

	test('what is asked for decides whose words are used, where both have the kind', () => {
		expect(failure('unauthorized', {}).remedy).toContain('llama-server');
		expect(failure('unauthorized', { service: 'dify' }).remedy).toContain('"Dify API" credential');
	});

	test('localhost in a container is explained, other hosts are not told about Docker', () => {
		expect(failure('refused', { url: 'http://localhost:8080/v1' }).remedy).toContain('n8n container itself');
		expect(failure('refused', { url: 'http://10.0.0.5/v1' })).toMatchObject({
			message: 'The machine "10.0.0.5" answers, but nothing listens on port 80',
			url: 'http://10.0.0.5/v1',
			remedy: expect.stringContaining('--host 0.0.0.0'),
		});
	});

	test('which hosts are this machine', () => {
		expect(['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '[::1]', '0.0.0.0'].every(isLoopback)).toBe(true);
		expect(['10.0.0.1', 'localhost.lan', '1127.0.0.1', undefined].some(isLoopback)).toBe(false);
	});

	test('limits as people say them', () => {
		expect([undefined, 200, 1500, 15_000, 119_000, 120_000, 1_800_000].map(seconds)).toEqual([
			'the set time',
			'200 ms',
			'1.5 s',
			'15 s',
			'119 s',
			'2 minutes',
			'30 minutes',
		]);
	});
});

describe('the whole text of a failure', () => {
	const failed = new ServerError({
		kind: 'connectionLost',
		message: 'It broke',
		meaning: 'It broke in the middle',
		remedy: 'Mend it.',
		url: 'http://me:pass@10.0.0.5:8080/v1/chat/completions?user=anna#x',
		serverText: 'boom',
	});

	test('what happened and where, what to do, what the server said', () => {
		expect(describeError(failed)).toBe(
			'It broke in the middle (http://10.0.0.5:8080/v1/chat/completions). Mend it. The server says: "boom"',
		);
	});

	test('what is not there leaves no gap, and nothing is said twice', () => {
		const of = (message: string, serverText?: string) =>
			describeError(new ServerError({ kind: 'badRequest', message, remedy: 'Mend it.', serverText }));
		expect(of('No')).toBe('No. Mend it.');
		expect(of('It ended.')).toBe('It ended. Mend it.');
		expect(of('Field n is wrong', 'Field n is wrong')).toBe('Field n is wrong. Mend it.');
		expect(describeError(new ServerError({ kind: 'badRequest', message: 'No', remedy: '' }))).toBe('No.');
	});

	test('a long text of the server is shortened', () => {
		const long = new ServerError({
			kind: 'badRequest',
			message: 'No',
			remedy: 'Mend it.',
			serverText: 'x'.repeat(900),
		});
		expect(describeError(long)).toBe(`No. Mend it. The server says: "${'x'.repeat(500)}"`);
	});
});
