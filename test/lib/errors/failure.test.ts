import { ServerError, type FailureKind } from '../../../lib/errors/server-error';
import { failure } from '../../../lib/errors/failure';
import { isLoopback, remedyFor, seconds } from '../../../lib/errors/remedies';

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

	test('says what happened and where', () => {
		expect(failed.message).toBe(`It broke (${URL_ASKED})`);
		expect(failed.name).toBe('ServerError');
		expect(new ServerError({ kind: 'invalidInput', message: 'No', remedy: '.' }).message).toBe('No');
	});

	test('takes what had arrived, and further facts, without saying the URL twice', () => {
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
	// A record, so that the compiler asks for a kind that is added.
	const KINDS: Record<FailureKind, true> = {
		invalidUrl: true,
		dns: true,
		refused: true,
		connectTimeout: true,
		unreachable: true,
		tlsMismatch: true,
		tlsUntrusted: true,
		notHttp: true,
		closedBeforeAnswer: true,
		blockedByPolicy: true,
		proxy: true,
		redirect: true,
		firstTokenLimit: true,
		idleLimit: true,
		totalLimit: true,
		progressLimit: true,
		aborted: true,
		unauthorized: true,
		forbidden: true,
		wrongPath: true,
		modelNotFound: true,
		contextOverflow: true,
		contextExceeded: true,
		badRequest: true,
		templateRejected: true,
		grammarRejected: true,
		toolsUnsupported: true,
		modalityUnsupported: true,
		brokenHistory: true,
		tooLarge: true,
		busy: true,
		loading: true,
		modelFailedToLoad: true,
		notSupported: true,
		serverError: true,
		gateway: true,
		notAnApi: true,
		invalidAnswer: true,
		streamError: true,
		streamEndedEarly: true,
		connectionLost: true,
		toolCallCut: true,
		toolCallInvalid: true,
		onlyThinking: true,
		emptyAnswer: true,
		filtered: true,
		invalidInput: true,
	};

	test.each(Object.keys(KINDS) as FailureKind[])('%s reads well without any fact', (kind) => {
		const { message, remedy } = failure(kind, {});
		for (const text of [message, remedy]) expect(text).not.toMatch(/undefined|NaN| {2}|\(\)|""/);
		expect(remedyFor(kind).message).toMatch(/^[A-Zn].*[^.]$/);
		expect(remedy).toMatch(/^[A-Z'].*\.$/);
	});

	test('localhost in a container is explained, other hosts are not told about Docker', () => {
		expect(failure('refused', { url: 'http://localhost:8080/v1' }).remedy).toContain('n8n container itself');
		expect(failure('refused', { url: 'http://10.0.0.5/v1' })).toMatchObject({
			message: 'The machine "10.0.0.5" answers, but nothing listens on port 80 (http://10.0.0.5/v1)',
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
