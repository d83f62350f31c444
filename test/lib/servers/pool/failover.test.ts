import { failure } from '../../../../lib/errors/failure';
import type { FailureKind } from '../../../../lib/errors/kinds';
import {
	allFailed,
	canFailOver,
	mostRecoverable,
	failoverNotes,
	withOthers,
} from '../../../../lib/servers/pool/failover';

const failed = (kind: FailureKind, status?: number, serverText?: string) =>
	failure(kind, { url: `http://${kind}:8080/v1/chat/completions` }, { status, serverText });

describe('whether the next server is asked', () => {
	test.each<[FailureKind, number | undefined]>([
		['refused', undefined],
		['unreachable', undefined],
		['connectTimeout', undefined],
		['dns', undefined],
		['tlsMismatch', undefined],
		['tlsUntrusted', undefined],
		['loading', 503],
		['busy', 503],
		['busy', 429],
		['budgetSpent', 429],
		['modelNotFound', 404],
		['modelFailedToLoad', 500],
		['wrongModelType', 400],
		['notSupported', 501],
		['wrongPath', 404],
		['gateway', 502],
		['gateway', 503],
		['gateway', 521],
		['gateway', 530],
		['firstTokenLimit', undefined],
	])('%s (%s): nothing was begun', (kind, status) => {
		expect(canFailOver(failed(kind, status))).toBe(true);
	});

	test.each<[FailureKind, number | undefined]>([
		['unauthorized', 401],
		['forbidden', 403],
		['badRequest', 400],
		['contextOverflow', 400],
		['tooLarge', 413],
		['gateway', 504],
		['gateway', 520],
		['gateway', 524],
		['serverError', 500],
		['closedBeforeAnswer', undefined],
		['connectionLost', undefined],
		['streamEndedEarly', undefined],
		['streamError', undefined],
		['idleLimit', undefined],
		['totalLimit', undefined],
		['aborted', undefined],
		['invalidInput', undefined],
	])('%s (%s): it would help nobody, or the work may have begun', (kind, status) => {
		expect(canFailOver(failed(kind, status))).toBe(false);
	});

	test.each<[FailureKind, number | undefined]>([
		['gateway', 504],
		['closedBeforeAnswer', undefined],
		['connectionLost', undefined],
	])('%s (%s): where the request changes nothing, it may go out again', (kind, status) => {
		expect(canFailOver(failed(kind, status), true)).toBe(true);
	});

	test('a refusal is a refusal, also where the request changes nothing', () => {
		for (const [kind, status] of [
			['unauthorized', 401],
			['badRequest', 400],
		] as const)
			expect(canFailOver(failed(kind, status), true)).toBe(false);
	});
});

test('of several failures, the one that ends soonest says whether to wait', () => {
	const of = (...kinds: FailureKind[]) =>
		mostRecoverable(new Map(kinds.map((kind) => [kind, failed(kind)])))[0];
	expect(of('dns', 'refused', 'busy', 'loading')).toBe('loading');
	expect(of('dns', 'refused')).toBe('refused');
	expect(of('dns', 'tlsUntrusted')).toBe('dns');
});

describe('the error for all servers', () => {
	const error = allFailed([failed('refused'), failed('loading', 503, 'Loading model')]);

	test('lists each with its address, its diagnosis and what to do', () => {
		expect(error).toMatchObject({
			kind: 'allServersFailed',
			message: 'None of the 2 servers of the credential could take the request',
			retryable: true,
		});
		const lines = error.remedy.trim().split('\n');
		expect(lines[0]).toMatch(
			/^1\. The machine .*nothing listens.*http:\/\/refused:8080.*Start llama-server/,
		);
		expect(lines[1]).toMatch(/^2\. The model is still loading.*http:\/\/loading:8080.*Wait until/);
		expect(error.facts.servers).toMatchObject([
			{ kind: 'refused', url: 'http://refused:8080/v1/chat/completions' },
			{ kind: 'loading', httpStatus: 503 },
		]);
	});

	test('may not be repeated where one of them may not', () => {
		expect(allFailed([failed('refused'), failed('dns')]).retryable).toBe(false);
	});
});

test('the failure of one server carries those before it', () => {
	const error = failed('unauthorized', 401);
	expect(withOthers(error, [])).toBe(error);
	expect(withOthers(error, [failed('refused')])).toMatchObject({
		kind: 'unauthorized',
		status: 401,
		facts: { otherServers: [{ kind: 'refused' }] },
	});
});

test('the note names the server that answered and those that failed', () => {
	const other = { url: 'http://a', why: 'Nothing listens on a:80', wasAsked: true };
	expect(failoverNotes([other], 'http://b')).toEqual([
		'http://b answered, because this server did not take the request: http://a (Nothing listens on a:80).',
	]);
	expect(failoverNotes([other, { ...other, url: 'http://c' }], 'http://b')).toEqual([
		expect.stringContaining('these servers'),
	]);
	expect(failoverNotes([{ ...other, wasAsked: false }], 'http://b')).toEqual([]);
	expect(failoverNotes([], 'http://b')).toEqual([]);
});
