import { modelField } from '../../../nodes/shared/model-selection';

describe('the field for a model', () => {
	it('a model is selected from the list of models, or named, or is the loaded one', () => {
		expect(modelField('Mine')).toMatchObject({
			description: 'Mine. Leave empty to use the loaded model, or the only one.',
			modes: [{ name: 'list', typeOptions: { searchListMethod: 'searchModels' } }, { name: 'id' }],
		});
	});

	it('a node may have its own list and example', () => {
		expect(
			modelField('Mine', { search: 'searchRerankers', example: 'bge-reranker-v2-m3' }),
		).toMatchObject({
			modes: [
				{ typeOptions: { searchListMethod: 'searchRerankers' } },
				{ placeholder: 'e.g. bge-reranker-v2-m3' },
			],
		});
	});
});
