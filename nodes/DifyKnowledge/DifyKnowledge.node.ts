import type { INodeType, INodeTypeDescription } from 'n8n-workflow';
import {
	searchDocuments,
	searchEmbeddingModels,
	searchKnowledgeBases,
} from '../shared/dify/editor-lists';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-operation';
import { buildSubtitle, createResourceTable } from '../shared/run/operations';
import { chunkCreate, chunkDelete, chunkGet, chunkGetAll, chunkUpdate } from './chunk';
import {
	documentDelete,
	documentDownload,
	documentGet,
	documentGetAll,
	documentGetStatus,
	documentSetStatus,
} from './document/records';
import { documentSync } from './document/sync';
import { documentUpsertFile, documentUpsertText } from './document/upsert';
import {
	knowledgeBaseCreate,
	knowledgeBaseDelete,
	knowledgeBaseGet,
	knowledgeBaseGetAll,
	knowledgeBaseRetrieve,
	knowledgeBaseUpdate,
} from './knowledge-base';
import { metadataCreateField, metadataGetFields, metadataSet } from './metadata';
import { pipelineRun, searchDatasources } from './pipeline';

const operations = createResourceTable([
	{
		name: 'Knowledge Base',
		value: 'knowledgeBase',
		operations: [
			knowledgeBaseRetrieve,
			knowledgeBaseGetAll,
			knowledgeBaseGet,
			knowledgeBaseCreate,
			knowledgeBaseUpdate,
			knowledgeBaseDelete,
		],
	},
	{
		name: 'Document',
		value: 'document',
		operations: [
			documentSync,
			documentUpsertFile,
			documentUpsertText,
			documentGetAll,
			documentGet,
			documentGetStatus,
			documentSetStatus,
			documentDownload,
			documentDelete,
		],
		defaultOperation: 'upsertFile',
	},
	{
		name: 'Chunk',
		value: 'chunk',
		operations: [chunkGetAll, chunkGet, chunkCreate, chunkUpdate, chunkDelete],
	},
	{
		name: 'Metadata',
		value: 'metadata',
		operations: [metadataSet, metadataGetFields, metadataCreateField],
	},
	{
		name: 'Pipeline',
		value: 'pipeline',
		operations: [pipelineRun],
	},
]);

export class DifyKnowledge implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Knowledge',
		name: 'difyKnowledge',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		version: 1,
		subtitle: buildSubtitle(operations.properties),
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
	};

	execute = createDifyExecute(operations);
}
