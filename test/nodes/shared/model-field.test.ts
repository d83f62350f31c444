import { modelField } from '../../../nodes/shared/model-field';

describe('the field for a model', () => {
	it('a model is chosen from the list of the server, or named', () => {
		expect(modelField({ description: 'Mine' })).toMatchObject({
			description: 'Mine',
			modes: [{ name: 'list', typeOptions: { searchListMethod: 'searchModels' } }, { name: 'id' }],
		});
	});

	it('a node may have a list and an example of its own', () => {
		const field = modelField(
			{ required: true },
			{ search: 'searchRerankers', example: 'bge-reranker-v2-m3' },
		);
		expect(field).toMatchObject({
			required: true,
			modes: [
				{ typeOptions: { searchListMethod: 'searchRerankers' } },
				{ placeholder: 'e.g. bge-reranker-v2-m3' },
			],
		});
	});
});
