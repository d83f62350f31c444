/** The table of rules: each row, its limit, and that no other row acts. */
import { createServerError, type ErrorType } from '../../../lib/errors/server-error';
import { omitRejectedField, replaceJsonObject } from '../../../lib/exchange/adaptations';
import {
	advance,
	decide,
	type ExchangeState,
	MAX_REQUESTS,
	type Outcome,
	RULES,
} from '../../../lib/exchange/exchange';
import type { JsonRecord } from '../../../lib/values';

const createState = (changes: Partial<ExchangeState<string>> = {}): ExchangeState<string> => ({
	request: { route: { name: 'ollamaChat', url: 'a' }, draft: 'first', changes: [] },
	body: {},
	routes: [
		{ name: 'ollamaChat', url: 'a' },
		{ name: 'openAiChat', url: 'b' },
	],
	missingUrls: [],
	adaptations: { field: [omitRejectedField()], format: [replaceJsonObject] },
	sent: 1,
	applied: [],
	...changes,
});

const fail = (type: ErrorType, serverText = '', isShown = false): Outcome<string, string> => ({
	type: 'failed',
	error: createServerError(type, {}, { status: 400, serverText }),
	isShown,
});

const decideWith = (outcome: Outcome<string, string>, state: Partial<ExchangeState<string>> = {}) =>
	decide(createState(state), outcome);

const sendRule = (rule: string) => ({ type: 'send', rule });

describe('each rule', () => {
	test('route: the first route that is not known to be missing', () => {
		const missing = fail('routeNotFound');
		expect(decideWith(missing, { missingUrls: ['a'] })).toMatchObject({
			...sendRule('route'),
			request: { route: { name: 'openAiChat' } },
		});
		expect(decideWith(missing, { missingUrls: ['a', 'b'] })).toMatchObject({ type: 'fail' });
	});

	test('field: a field that the server rejects is omitted', () => {
		const step = decideWith(fail('badRequest', "Unknown parameter: 'top_k'"), {
			body: { top_k: 1 },
		});
		expect(step).toMatchObject({ ...sendRule('field'), because: 'without top_k' });
	});

	test('format: in its other form', () => {
		const step = decideWith(fail('badRequest', 'response_format.type must be json_schema'), {
			body: { response_format: { type: 'json_object' } },
		});
		expect(step).toMatchObject(sendRule('format'));
	});

	test('conversation: as the adaptation changes it', () => {
		const change = { name: 'strict', apply: (body: JsonRecord) => body };
		const step = decideWith(fail('badRequest'), { adaptations: { conversation: [() => change] } });
		expect(step).toMatchObject({ ...sendRule('conversation'), request: { changes: [change] } });
	});

	test('unreadable: the same request, unless a seed would give the same output', () => {
		const { request } = createState();
		const unreadable = fail('outputParseFailed');
		expect(decideWith(unreadable)).toMatchObject({ ...sendRule('unreadable'), request });
		expect(decideWith(unreadable, { body: { seed: -1 } })).toMatchObject(sendRule('unreadable'));
		expect(decideWith(unreadable, { body: { seed: 7 } })).toMatchObject({ type: 'fail' });
		expect(decideWith(unreadable, { body: { options: { seed: 7 } } })).toMatchObject({
			type: 'fail',
		});
	});

	test.each<[string, JsonRecord, JsonRecord | undefined]>([
		[
			'a schema',
			{ seed: 7, response_format: { type: 'json_schema' } },
			{ response_format: { type: 'json_object' } },
		],
		[
			'any JSON',
			{ seed: 7, response_format: { type: 'json_object' } },
			{ response_format: { type: 'json_schema' } },
		],
		['a schema of Ollama', { format: { type: 'object' } }, { format: 'json' }],
		['any JSON of Ollama', { format: 'json' }, { format: { type: 'object' } }],
		['no format', {}, {}],
		['no format, at temperature 0', { temperature: 0 }, undefined],
		['no format, at temperature 0 of Ollama', { options: { temperature: 0 } }, undefined],
		['no format, and a fixed seed', { seed: 7 }, undefined],
	])('runaway: with %s', (_name, body, expected) => {
		const step = decideWith(fail('runawayOutput'), { body });
		if (expected === undefined) expect(step.type).toBe('fail');
		else {
			expect(step).toMatchObject(sendRule('runaway'));
			const { changes } = (step as Extract<typeof step, { type: 'send' }>).request;
			expect(changes.reduce((changed, { apply }) => apply(changed), body)).toMatchObject(expected);
			expect(changes.every(({ isTemporary }) => isTemporary)).toBe(true);
		}
	});

	test('correction: the corrected draft', () => {
		const withoutCorrection = { type: 'completed', value: 'usable' } as const;
		const unusable = { type: 'unusable', correctedDraft: 'second', withoutCorrection } as const;
		expect(decideWith(unusable)).toMatchObject({
			...sendRule('correction'),
			request: { draft: 'second' },
		});
		expect(decideWith(unusable, { sent: MAX_REQUESTS })).toEqual({
			type: 'accept',
			value: 'usable',
		});
	});
});

test.each(RULES.map(({ name, limit }) => [name, limit] as const))(
	'%s: at most %d times',
	(name, limit) => {
		const applied = Array.from({ length: limit }, () => ({ rule: name, because: '' }));
		const change = { name: 'new', apply: (body: JsonRecord) => body };
		const outcomes: Partial<Record<string, Outcome<string, string>>> = {
			route: fail('routeNotFound'),
			unreadable: fail('outputParseFailed'),
			runaway: fail('runawayOutput'),
			correction: {
				type: 'unusable',
				correctedDraft: 'second',
				withoutCorrection: { type: 'completed', value: '' },
			},
		};
		const outcome = outcomes[name] ?? fail('badRequest');
		const adaptations = { [name]: [() => change] };
		expect(decideWith(outcome, { adaptations, applied: applied.slice(1) })).toMatchObject(
			sendRule(name),
		);
		expect(decideWith(outcome, { adaptations, applied }).type).not.toBe('send');
	},
);

test.each<ErrorType>(['outputParseFailed', 'runawayOutput', 'badRequest', 'routeNotFound'])(
	'nothing is sent again after output of the attempt was shown: %s',
	(type) => {
		const change = { name: 'new', apply: (body: JsonRecord) => body };
		const outcome = fail(type, '', true);
		expect(decideWith(outcome, { adaptations: { field: [() => change] } }).type).toBe('fail');
	},
);

describe('the error', () => {
	const fieldError = fail('badRequest', "Unknown parameter: 'top_k'");
	const getError = (first: Outcome<string, string>, last: Outcome<string, string>) => {
		const state = createState({ body: { top_k: 1 }, missingUrls: ['a'] });
		const step = decide(state, first) as Extract<ReturnType<typeof decideWith>, { type: 'send' }>;
		const next = { ...advance(state, first, step), body: {} };
		const final = decide(next, last);
		return final.type === 'fail' ? final.error : undefined;
	};

	test('is the first one, if the changed request is rejected, too', () => {
		expect(getError(fieldError, fail('badRequest', 'other'))?.serverText).toContain('top_k');
	});

	test('is the later one, if the first is a missing route', () => {
		expect(getError(fail('routeNotFound'), fail('badRequest', 'other'))?.serverText).toBe('other');
	});

	test('is the later one, if the changed request was accepted', () => {
		const lost: Outcome<string, string> = {
			type: 'failed',
			error: createServerError('connectionLost', {}),
		};
		expect(getError(fieldError, lost)?.type).toBe('connectionLost');
	});
});
