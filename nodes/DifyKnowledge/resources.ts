import { resourceTable } from '../shared/run/operations';
import { childChunkCreate } from './child-chunk/create';
import { childChunkDelete } from './child-chunk/delete';
import { childChunkGet } from './child-chunk/get';
import { childChunkGetAll } from './child-chunk/get-all';
import { childChunkUpdate } from './child-chunk/update';
import { chunkCreate } from './chunk/create';
import { chunkDelete } from './chunk/delete';
import { chunkGet } from './chunk/get';
import { chunkGetAll } from './chunk/get-all';
import { chunkUpdate } from './chunk/update';
import { documentDelete } from './document/delete';
import { documentDownload } from './document/download';
import { documentDownloadZip } from './document/download-zip';
import { documentGet } from './document/get';
import { documentGetAll } from './document/get-all';
import { documentGetStatus } from './document/get-status';
import { documentSetStatus } from './document/set-status';
import { documentSync } from './document/sync';
import { documentUpdateFile } from './document/update-file';
import { documentUpdateText } from './document/update-text';
import { documentUpsertFile } from './document/upsert-file';
import { documentUpsertText } from './document/upsert-text';
import { knowledgeBaseCreate } from './knowledge-base/create';
import { knowledgeBaseDelete } from './knowledge-base/delete';
import { knowledgeBaseGet } from './knowledge-base/get';
import { knowledgeBaseGetAll } from './knowledge-base/get-all';
import { knowledgeBaseRetrieve } from './knowledge-base/retrieve';
import { knowledgeBaseUpdate } from './knowledge-base/update';
import { metadataCreateField } from './metadata/create-field';
import { metadataDeleteField } from './metadata/delete-field';
import { metadataGetFields } from './metadata/get-fields';
import { metadataRenameField } from './metadata/rename-field';
import { metadataSet } from './metadata/set';
import { metadataSetBuiltIn } from './metadata/set-built-in';
import { modelGetAll } from './model/get-all';
import { pipelineGetDatasources } from './pipeline/get-datasources';
import { pipelineRun } from './pipeline/run';
import { pipelineRunDatasource } from './pipeline/run-datasource';
import { pipelineUploadFile } from './pipeline/upload-file';
import { tagBind } from './tag/bind';
import { tagCreate } from './tag/create';
import { tagDelete } from './tag/delete';
import { tagGetAll } from './tag/get-all';
import { tagGetOfBase } from './tag/get-of-base';
import { tagRename } from './tag/rename';
import { tagUnbind } from './tag/unbind';

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
			documentUpdateFile,
			documentUpdateText,
			documentDownload,
			documentDownloadZip,
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
		operations: [
			metadataSet,
			metadataGetFields,
			metadataCreateField,
			metadataRenameField,
			metadataSetBuiltIn,
			metadataDeleteField,
		],
	},
	{
		option: { name: 'Pipeline', value: 'pipeline' },
		operations: [pipelineRun, pipelineUploadFile, pipelineGetDatasources, pipelineRunDatasource],
	},
	{
		option: { name: 'Tag', value: 'tag' },
		operations: [tagGetAll, tagBind, tagUnbind, tagGetOfBase, tagCreate, tagRename, tagDelete],
	},
	{
		option: { name: 'Child Chunk', value: 'childChunk' },
		operations: [
			childChunkGetAll,
			childChunkGet,
			childChunkCreate,
			childChunkUpdate,
			childChunkDelete,
		],
	},
	{ option: { name: 'Model', value: 'model' }, operations: [modelGetAll] },
]);
