import type {
	INodeExecutionData,
	IExecuteFunctions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import {
	searchDocuments,
	searchEmbeddingModels,
	searchKnowledgeBases,
} from '../shared/dify/editor-lists';
import type { DifyResource } from '../shared/dify/dify-operation';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-execute';
import { createResourceTable } from '../shared/items/operation-table';
import { chunks } from './chunk';
import { recordOperations } from './document/records';
import { metadata } from './metadata';
import { documentSync } from './document/sync';
import { upsertOperations } from './document/upsert';
import { knowledgeBases } from './knowledge-base';
import { pipelines, searchDatasources } from './pipeline';

const documents: DifyResource = {
	name: 'Document',
	value: 'document',
	operations: [documentSync, ...upsertOperations, ...recordOperations],
	defaultOperation: 'upsertFile',
};

const operations = createResourceTable([knowledgeBases, documents, chunks, metadata, pipelines]);

export class DifyKnowledge implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Knowledge',
		name: 'difyKnowledge',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		subtitle: operations.subtitle,
		description: 'Search and fill Dify knowledge bases, and keep your documents in sync with them',
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
		},
	} satisfies INodeType['methods'];

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> = createDifyExecute(
		operations,
		'knowledge',
	);
}
