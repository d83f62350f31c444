/** The table of what is sent once more: status, time, and what the node knows; no sentence of a server. */
import type { ErrorType } from '../../../lib/errors/error-types';
import { ERROR_TYPES } from '../../../lib/errors/error-types';
import type { FailedRequest, RepetitionLimits } from '../../../lib/exchange/may-repeat';
import { mayRepeat } from '../../../lib/exchange/may-repeat';
import { testLimit } from '../../support/jest/limits';

const FAILED: FailedRequest = {
	type: 'serverError',
	report: undefined,
	elapsedMs: 100,
	isBrokenJson: false,
	isCutOff: false,
	hasShownOutput: false,
	isDeterministic: false,
	hasFailedAlike: false,
	hasFiles: false,
	namesSentField: false,
};
const LIMITS: RepetitionLimits = { retries: 2, isRepeatable: true };

const found = (type: ErrorType, facts: Partial<FailedRequest> = {}): FailedRequest => ({
	...FAILED,
	type,
	...facts,
});

interface ReportedRow extends Partial<FailedRequest> {
	status: number;
	isInside?: true;
	innerStatus?: number;
	isOfContext?: true;
	codes?: string[];
}

const reported = ({
	status,
	isInside = status < 300 || undefined,
	innerStatus,
	isOfContext,
	codes = [],
	...facts
}: ReportedRow): FailedRequest => ({
	...FAILED,
	report: { status, isInside, innerStatus, isOfContext, codes, isOfGateway: false },
	...facts,
});

describe('an error response', () => {
	test.each<ReportedRow>([
		{ status: 500 },
		{ status: 500, elapsedMs: 600_000 },
		{ status: 502 },
		{ status: 503, elapsedMs: 2_000 },
		{ status: 520 },
		{ status: 529, elapsedMs: 2_000 },
		{ status: 400 },
		{ status: 404 },
		{ status: 424, elapsedMs: 1_999 },
		// The model wrote something else the next time, however long it took.
		{ status: 400, type: 'outputParseFailed', elapsedMs: 600_000, hasFiles: true },
		// Inside of a response
		{ status: 200 },
		{ status: 200, innerStatus: 400 },
		{ status: 200, innerStatus: 500 },
		{ status: 400, isInside: true },
		{ status: 404, isInside: true, elapsedMs: 600_000 },
	])('is repeated: %j', (row) => {
		expect(mayRepeat(reported(row), LIMITS)).toBe(true);
	});

	test.each<ReportedRow>([
		...[401, 402, 403, 408, 413, 422, 504, 524].flatMap((status) => [
			{ status },
			{ status: 200, innerStatus: status },
			{ status: 500, innerStatus: status },
		]),
		{ status: 501 },
		{ status: 405 },
		{ status: 409 },
		{ status: 302 },
		{ status: 400, elapsedMs: 2_000 },
		{ status: 404, hasFiles: true },
		{ status: 424, hasFiles: true },
		{ status: 400, namesSentField: true },
		{ status: 500, isOfContext: true },
		{ status: 400, isOfContext: true },
		{ status: 422, isInside: true, innerStatus: 422 },
		{ status: 400, isInside: true, namesSentField: true },
		// `lib/http` waits for a server that is busy.
		{ status: 429 },
		{ status: 503 },
		{ status: 529 },
	])('is not repeated: %j', (row) => {
		expect(mayRepeat(reported(row), LIMITS)).toBe(false);
	});

	test('means the same whatever its type is', () => {
		const repeated = ERROR_TYPES.filter(
			(type) => !mayRepeat(reported({ status: 500, type }), LIMITS),
		);
		expect(repeated).toEqual([]);
	});
});

describe('what the node found out itself', () => {
	test('is repeated for a lost connection, a response without use, and that of another program', () => {
		const repeated = ERROR_TYPES.filter((type) => mayRepeat(found(type), LIMITS));
		expect(repeated.sort()).toEqual([
			'closedBeforeResponse',
			'connectionLost',
			'emptyResponse',
			'notAnApi',
			'notHttp',
			'onlyThinking',
			'outputParseFailed',
			'streamBroken',
			'streamEndedEarly',
			'streamError',
			'wrongServer',
		]);
	});

	test('is repeated for JSON that was cut', () => {
		expect(mayRepeat(found('invalidResponse', { isBrokenJson: true }), LIMITS)).toBe(true);
	});

	test('is not repeated for what another program responded late, or to files', () => {
		const others = ['notAnApi', 'notHttp', 'wrongServer'] as const;
		for (const facts of [{ elapsedMs: 2_000 }, { hasFiles: true }])
			expect(others.filter((type) => mayRepeat(found(type, facts), LIMITS))).toEqual([]);
	});

	test.each<ErrorType>(['emptyResponse', 'onlyThinking', 'streamEndedEarly'])(
		'is not repeated at the token limit: %s',
		(type) => {
			expect(mayRepeat(found(type, { isCutOff: true }), LIMITS)).toBe(false);
		},
	);

	test('is repeated for an empty response after any time', () => {
		expect(mayRepeat(found('emptyResponse', { elapsedMs: 3_600_000 }), LIMITS)).toBe(true);
	});
});

testLimit('lib/exchange/may-repeat.ts#MAX_CLOSED_MS', {
	limit: 60_000,
	outcome: (elapsedMs) => mayRepeat(found('connectionLost', { elapsedMs: elapsedMs - 1 }), LIMITS),
	within: true,
	beyond: false,
});

describe('nothing is repeated', () => {
	test.each<[string, Partial<FailedRequest>, Partial<RepetitionLimits>]>([
		['with Retries 0', {}, { retries: 0 }],
		['if its parts are sent anew', {}, { isRepeatable: false }],
		['after shown output', { hasShownOutput: true }, {}],
		['if it failed alike before', { hasFailedAlike: true }, {}],
		['if the model would write the same', { isDeterministic: true }, {}],
		['if it was expensive', { elapsedMs: 10_000 }, { maxElapsedMs: 10_000 }],
	])('%s', (_reason, facts, limits) => {
		for (const failed of [reported({ status: 500 }), found('emptyResponse')])
			expect(mayRepeat({ ...failed, ...facts }, { ...LIMITS, ...limits })).toBe(false);
	});

	test('but an expensive request that failed at once', () => {
		const limits = { ...LIMITS, maxElapsedMs: 10_000 };
		expect(mayRepeat(reported({ status: 500, elapsedMs: 9_999 }), limits)).toBe(true);
	});
});
