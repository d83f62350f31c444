import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import {
	searchDatasources,
	searchDocuments,
	searchEmbeddingModels,
	searchKnowledgeBases,
	searchRerankModels,
} from '../shared/dify/search-knowledge';
import { BUILDER_HINTS } from '../shared/builder-hints';
import { difyActionNode, difyExecute } from '../shared/dify/description';
import { actionSubtitle } from '../shared/run/operations';
import { operations } from './resources';

export class DifyKnowledge implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Knowledge',
		name: 'difyKnowledge',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		version: 1,
		subtitle: actionSubtitle(operations.properties),
		description: 'Knowledge bases of Dify: searches them, fills them, keeps your documents in sync',
		builderHint: BUILDER_HINTS.difyKnowledge,
		defaults: { name: 'Dify Knowledge' },
		usableAsTool: true,
		properties: operations.properties,
	};

	methods = {
		listSearch: {
			searchDatasources,
			searchDocuments,
			searchEmbeddingModels,
			searchKnowledgeBases,
			searchRerankModels,
		},
	};

	execute = difyExecute(operations);
}
