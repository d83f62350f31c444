import { resourceTable } from '../shared/run/operations';
import { chunkCreate } from './chunk/create';
import { chunkDelete, chunkGet, chunkGetAll } from './chunk/routes';
import { chunkUpdate } from './chunk/update';
import { documentDelete } from './document/delete';
import { documentDownload } from './document/download';
import { documentGet, documentGetAll } from './document/routes';
import { documentGetStatus } from './document/get-status';
import { documentSetStatus } from './document/set-status';
import { documentSync } from './document/sync';
import { documentUpsertFile } from './document/upsert-file';
import { documentUpsertText } from './document/upsert-text';
import { knowledgeBaseCreate } from './knowledge-base/create';
import { knowledgeBaseDelete } from './knowledge-base/delete';
import { knowledgeBaseGet, knowledgeBaseGetAll } from './knowledge-base/routes';
import { knowledgeBaseRetrieve } from './knowledge-base/retrieve';
import { knowledgeBaseUpdate } from './knowledge-base/update';
import { metadataCreateField } from './metadata/create-field';
import { metadataSet } from './metadata/set';
import { metadataGetFields } from './metadata/routes';
import { pipelineRun } from './pipeline/run';

/** What the node can do. */
export const operations = resourceTable([
	{
		option: { name: 'Knowledge Base', value: 'knowledgeBase' },
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
		option: { name: 'Document', value: 'document' },
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
		preset: 'upsertFile',
	},
	{
		option: { name: 'Chunk', value: 'chunk' },
		operations: [chunkGetAll, chunkGet, chunkCreate, chunkUpdate, chunkDelete],
	},
	{
		option: { name: 'Metadata', value: 'metadata' },
		operations: [metadataSet, metadataGetFields, metadataCreateField],
	},
	{
		option: { name: 'Pipeline', value: 'pipeline' },
		operations: [pipelineRun],
	},
]);
