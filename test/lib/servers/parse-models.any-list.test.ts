/** Any list of models, under each name of the list and of its entries: each model once, as it stands first, in its order. */
import fc from 'fast-check';
import { parseModels } from '../../../lib/servers/parse-models';
import { selectOnlyModel, preferLoadedModels } from '../../../lib/servers/model-selection';

const STATES = ['loaded', 'sleeping', 'loading', 'unloaded', 'failed', undefined] as const;

interface Entry {
	id: string;
	idName: string;
	contextName: string;
	context: number;
	state: (typeof STATES)[number];
}

const entry = fc.record<Entry>({
	id: fc.constantFrom('a', 'b', 'c', '', ' '),
	idName: fc.constantFrom('id', 'model', 'name', 'key', 'model_name'),
	contextName: fc.constantFrom('max_model_len', 'context_length', 'meta'),
	context: fc.constantFrom(0, 512, 4096),
	state: fc.constantFrom(...STATES),
});

const toEntry = ({ id, idName, contextName, context, state }: Entry) => ({
	[idName]: id,
	...(contextName === 'meta' ? { meta: { n_ctx: context } } : { [contextName]: context }),
	...(state !== undefined && {
		status: state === 'failed' ? { value: 'unloaded', failed: true } : { value: state },
	}),
});

const toExpected = ({ id, context, state }: Entry) => ({
	id,
	aliases: [],
	...(context > 0 && { context }),
	...(state !== undefined && { state }),
});

const form = fc.constantFrom<(list: object[]) => unknown>(
	(list) => list,
	(list) => ({ data: list }),
	(list) => ({ models: list }),
	(list) => ({ result: list }),
);

test('any list', () => {
	fc.assert(
		fc.property(fc.array(entry, { maxLength: 6 }), form, (entries, wrap) => {
			const named = entries.filter(({ id }) => id.trim() !== '');
			const expected = named
				.filter(({ id }, at) => named.findIndex((one) => one.id === id) === at)
				.map(toExpected);
			const models = parseModels(wrap(entries.map(toEntry)))!;
			expect(models).toEqual(expected);
			// For an empty field: those in memory, otherwise those that have not failed, otherwise all.
			const inMemory = expected.filter(({ state }) => state === 'loaded' || state === 'sleeping');
			const usable = expected.filter(({ state }) => state !== 'failed');
			const candidates = [inMemory, usable, expected].find(({ length }) => length > 0) ?? [];
			expect(preferLoadedModels(models)).toEqual(candidates);
			const [only, second] = candidates;
			if (only !== undefined && second === undefined) expect(selectOnlyModel(models)).toBe(only.id);
			else expect(() => selectOnlyModel(models)).toThrow();
		}),
	);
});
