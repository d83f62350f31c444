/** Fields of Dify Retriever. */
import { filtersField, retrievalOptions, topKField } from '../shared/dify/retrieval-fields';
import { multiChoiceField, noticeField } from '../shared/field-builders';

export const properties = [
	noticeField(
		'Connect this node to a Question and Answer Chain. For an agent, use Dify Knowledge as a tool instead: the agent can then write its own queries.',
	),
	multiChoiceField('Knowledge Base Names or IDs', 'difyDatasetIds', [], {
		typeOptions: { loadOptionsMethod: 'getKnowledgeBases' },
		required: true,
		description:
			'Knowledge bases to search. Choose from the list, or specify IDs using an <a href="https://docs.n8n.io/code/expressions/">expression</a>.',
	}),
	{ ...topKField, description: 'Max number of results to return' },
	filtersField,
	retrievalOptions,
];
