import type { INodeProperties } from 'n8n-workflow';

/** Where a list of models comes from, and what a name looks like. */
interface ModelChoice {
	/** Name of the node's list search. Default: `searchModels`, every model of the server. */
	search?: string;
	/** A name, shown in the empty field. */
	example?: string;
}

/** The model, from the list of the server or by its name. */
export function modelField(more: Partial<INodeProperties>, choice: ModelChoice = {}): INodeProperties {
	const { search = 'searchModels', example = 'qwen3-8b' } = choice;
	return {
		displayName: 'Model',
		name: 'model',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: 'Select a model…',
				typeOptions: { searchListMethod: search, searchable: true },
			},
			{ displayName: 'By Name', name: 'id', type: 'string', placeholder: `e.g. ${example}` },
		],
		...more,
	};
}
