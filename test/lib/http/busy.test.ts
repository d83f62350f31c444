/** Which errors say that the server did not start the request, and may do so later. */
import path from 'node:path';
import {
	MAX_REFUSAL_MS,
	forgetWaitInVain,
	hasWaitedInVain,
	isBusy,
	isOfBudget,
	storeWaitInVain,
} from '../../../lib/http/busy';
import { createServerError } from '../../../lib/errors/create-error';
import type { ErrorOverrides } from '../../../lib/errors/create-error';
import type { ErrorType } from '../../../lib/errors/error-types';
import { expectApproved } from '../../support/approved/approved-table';

const report = (status: number, ...codes: readonly string[]) => ({
	report: { status, codes: [...codes], isOfGateway: false },
});

const ERRORS: ReadonlyArray<readonly [ErrorType, ErrorOverrides]> = [
	...[200, 400, 408, 429, 500, 502, 503, 504].map(
		(status) => ['serverError', report(status)] as const,
	),
	['serverError', {}],
	['serverError', { status: 429 }],
	['serverError', { status: 503 }],
	['serverError', { status: 503, ...report(500) }],
	['modelLoading', report(503)],
	['busy', report(429)],
	['busy', report(429, 'rate_limit')],
	['busy', report(429, 'rate_limit', 'insufficient_quota')],
	['busy', { ...report(429), facts: { code: 'budget_exceeded' } }],
	['busy', { ...report(429), facts: { code: 'too many credits are used' } }],
	['busy', { ...report(429), facts: { BillingLimit: 1 } }],
	['busy', { ...report(429), facts: { max_budget: 5 } }],
	['busy', { ...report(429), serverText: 'quota' }],
];

test('each error says whether the server was busy, and whether it is about a budget', () => {
	const rows = (['', 'dify'] as const).flatMap((service) =>
		ERRORS.map(([type, overrides]) => {
			const error = createServerError(type, service === '' ? {} : { service }, overrides);
			const times = [0, MAX_REFUSAL_MS - 1, MAX_REFUSAL_MS].filter((ms) => isBusy(error, ms));
			return {
				input: `${service} ${type} ${JSON.stringify(overrides)}`.trim(),
				outcome: `${times.length > 0 ? `busy within ${times.join(', ')} ms` : 'not busy'}${isOfBudget(error) ? ', of a budget' : ''}`,
			};
		}),
	);
	expectApproved(
		path.join(__dirname, 'busy.approved.txt'),
		rows,
		'A server is busy only if it did not start the request',
	);
});

test('a wait in vain is remembered for its server and model until a request is taken', () => {
	expect(hasWaitedInVain('a')).toBe(false);
	storeWaitInVain('a');
	expect([hasWaitedInVain('a'), hasWaitedInVain('b')]).toEqual([true, false]);
	forgetWaitInVain('b');
	expect(hasWaitedInVain('a')).toBe(true);
	forgetWaitInVain('a');
	expect(hasWaitedInVain('a')).toBe(false);
});
