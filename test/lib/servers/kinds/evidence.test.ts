import fc from 'fast-check';

import {
	anyHeader,
	anyModel,
	bodyOf,
	entriesOf,
	ownsAnyModel,
	ownsModels,
	says,
	textIn,
} from '../../../../lib/servers/kinds/evidence';
import type { ServerAnswers } from '../../../../lib/servers/kinds/answers';
import { answer, list } from './kind-suite';

describe('evidence for the kind of server in an answer', () => {
	it('the body of a refusal is not used as data, but its message can be read', () => {
		const refusal = answer({ error: 'Unauthorized' }, 401);
		expect(bodyOf(refusal)).toEqual({});
		expect(says(refusal, ({ error }) => error === 'Unauthorized')).toBe(true);
		expect(bodyOf(answer({ a: 1 }))).toEqual({ a: 1 });
		expect(bodyOf(answer([1]))).toEqual({});
		expect(says(answer([1]), () => true)).toBe(false);
	});

	it('a header counts in any answer, an error included', () => {
		const answers = { models: answer({}, 404), health: answer({}, 503, { server: 'nginx' }) };
		expect(anyHeader(answers, 'server', /^nginx/)).toBe(true);
		expect(anyHeader(answers, 'server', /llama/)).toBe(false);
		expect(anyHeader({}, 'server', /./)).toBe(false);
	});

	it('owners and entries are looked for in a list of models only, not in an error', () => {
		const models = list({ id: 'a', owned_by: 'x' }, { id: 'b', owned_by: 'y' });
		expect(ownsAnyModel({ models: answer(models) }, 'y')).toBe(true);
		expect(ownsAnyModel({ models: answer(models) }, 'z')).toBe(false);
		expect(ownsAnyModel({ models: answer(models, 404) }, 'y')).toBe(false);
		expect(anyModel({ models: answer(models) }, ({ id }) => id === 'b')).toBe(true);
		expect(entriesOf({ models: answer({ error: 'no' }) })).toBeUndefined();
		expect(entriesOf({ models: answer(list()) })).toEqual([]);
	});

	it('a server owns every model of its list; a gateway shows other owners, or owners in front of names', () => {
		const owned = (...entries: object[]) =>
			ownsModels({ models: answer(list(...entries)) }, 'vllm');
		expect(owned({ id: 'a', owned_by: 'vllm' }, { id: 'b/c', owned_by: 'vllm' })).toBe(true);
		expect(owned({ id: 'a', owned_by: 'vllm' }, { id: 'b', owned_by: 'openai' })).toBe(false);
		expect(owned({ id: 'vllm/a', owned_by: 'vllm' })).toBe(false);
		expect(owned()).toBe(false);
	});

	it.each([
		[{ version: '1.2' }, 200, '1.2'],
		[{ version: '' }, 200, undefined],
		[{ version: 12 }, 200, undefined],
		[{ version: '1.2' }, 404, undefined],
		[['1.2'], 200, undefined],
	])('a text out of %j with status %i', (body, status, text) => {
		expect(textIn({ version: answer(body, status) }, 'version', 'version')).toBe(text);
	});

	it('nothing that a server answers makes the reading fail', () => {
		const any = fc.record({
			status: fc.integer({ min: 100, max: 599 }),
			headers: fc.dictionary(fc.string(), fc.string()),
			text: fc.string(),
			json: fc.oneof(fc.jsonValue(), fc.record({ data: fc.jsonValue() }), fc.constant(undefined)),
		});
		fc.assert(
			fc.property(fc.record({ models: any, version: any }, { requiredKeys: [] }), (given) => {
				const answers = given as ServerAnswers;
				const found = entriesOf(answers);
				expect(found === undefined || found.every((entry) => typeof entry === 'object')).toBe(true);
				expect(anyModel(answers, () => true)).toBe((found ?? []).length > 0);
				const text = textIn(answers, 'version', 'version');
				expect(text === undefined || text.length > 0).toBe(true);
			}),
		);
	});
});
