import { suggestModels } from '../../../lib/errors/other-models';
import { selectOnlyModel } from '../../../lib/servers/model-selection';

test('at most ten names are shown, then the number of the others', () => {
	const names = Array.from({ length: 12 }, (_, at) => `m${at}`);
	expect(suggestModels(names, undefined)).toBe(
		`Use one of: ${names.slice(0, 10).join(', ')}, and 2 more.`,
	);
	expect(suggestModels([], 'load it.')).toBe('Select another model, or load it.');
	expect(suggestModels([], undefined)).toBe('');
});

test('of a name of any length, the beginning is shown', () => {
	const suggestion = suggestModels(['n'.repeat(1_500_000), 'b'], undefined);
	expect(suggestion).toMatch(/^Use one of: n{199}…, b\.$/);
});

describe('the model if the field is empty', () => {
	const state = (id: string, of?: string) => ({ id, ...(of === undefined ? {} : { state: of }) });

	test('is the only one, or the only one that is loaded', () => {
		expect(selectOnlyModel([state('a')])).toBe('a');
		expect(selectOnlyModel([state('a', 'unloaded')])).toBe('a');
		expect(selectOnlyModel([state('a', 'unloaded'), state('b', 'loaded')])).toBe('b');
		expect(selectOnlyModel([state('a', 'unloaded'), state('b', 'sleeping')])).toBe('b');
	});

	test.each([
		['several', [state('a'), state('b')], 'Use one of: a, b.'],
		[
			'several that are loaded',
			[state('a', 'loaded'), state('b', 'loaded'), state('c')],
			'Use one of: a, b.',
		],
		['none', [], 'enter its name'],
	])('%s: an error that lists them', (_name, models, advice) => {
		expect(() => selectOnlyModel(models)).toThrow(
			expect.objectContaining({ suggestion: expect.stringContaining(advice) as string }),
		);
	});
});
