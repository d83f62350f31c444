import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { failure } from '../../lib/errors/failure';
import { type NodeResource, resourceFields } from '../shared/run/operations';
import { NodeParameters } from '../shared/parameters';
import { runOnItems, type KnowledgeOperation } from './call';
import { childCreate } from './child-chunk/create';
import { childDelete } from './child-chunk/delete';
import { childGet } from './child-chunk/get';
import { childGetAll } from './child-chunk/get-all';
import { childUpdate } from './child-chunk/update';
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
import { documentUpdateFile } from './document/update-file';
import { documentUpdateText } from './document/update-text';
import { documentUpsertFile } from './document/upsert-file';
import { documentUpsertText } from './document/upsert-text';
import { baseCreate } from './knowledge-base/create';
import { baseDelete } from './knowledge-base/delete';
import { baseGet } from './knowledge-base/get';
import { baseGetAll } from './knowledge-base/get-all';
import { baseUpdate } from './knowledge-base/update';
import { builtInSet } from './metadata/set-built-in';
import { fieldCreate } from './metadata/create-field';
import { fieldDelete } from './metadata/delete-field';
import { fieldGetAll } from './metadata/get-fields';
import { fieldRename } from './metadata/rename-field';
import { metadataSet } from './metadata/set';
import { modelGetAll } from './model/get-all';
import { pipelineGetDatasources } from './pipeline/get-datasources';
import { pipelineRun } from './pipeline/run';
import { pipelineRunDatasource } from './pipeline/run-datasource';
import { pipelineUpload } from './pipeline/upload-file';
import { baseRetrieve } from './knowledge-base/retrieve';
import { documentSync, syncItems } from './document/sync';
import { tagBind } from './tag/bind';
import { tagCreate } from './tag/create';
import { tagDelete } from './tag/delete';
import { tagGetAll } from './tag/get-all';
import { tagGetOfBase } from './tag/get-of-base';
import { tagRename } from './tag/rename';
import { tagUnbind } from './tag/unbind';

/** The operations that work on one item after another. */
const RESOURCES = {
	childChunk: [childCreate, childDelete, childGet, childGetAll, childUpdate],
	chunk: [chunkCreate, chunkDelete, chunkGet, chunkGetAll, chunkUpdate],
	document: [
		documentUpsertFile,
		documentUpsertText,
		documentDelete,
		documentDownload,
		documentDownloadZip,
		documentGet,
		documentGetAll,
		documentGetStatus,
		documentSetStatus,
		documentUpdateFile,
		documentUpdateText,
	],
	knowledgeBase: [baseCreate, baseDelete, baseGet, baseGetAll, baseRetrieve, baseUpdate],
	metadata: [fieldCreate, fieldDelete, fieldGetAll, fieldRename, builtInSet, metadataSet],
	model: [modelGetAll],
	pipeline: [pipelineGetDatasources, pipelineRun, pipelineRunDatasource, pipelineUpload],
	tag: [tagBind, tagCreate, tagDelete, tagGetAll, tagGetOfBase, tagRename, tagUnbind],
} satisfies Record<string, KnowledgeOperation[]>;
type Resource = keyof typeof RESOURCES;

const PRESETS: Record<Resource, string> = {
	childChunk: 'getAll',
	chunk: 'getAll',
	document: 'upsertFile',
	knowledgeBase: 'retrieve',
	metadata: 'set',
	model: 'getAll',
	pipeline: 'run',
	tag: 'getAll',
};

const resourceField: INodeProperties = {
	displayName: 'Resource',
	name: 'resource',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'Child Chunk', value: 'childChunk' },
		{ name: 'Chunk', value: 'chunk' },
		{ name: 'Document', value: 'document' },
		{ name: 'Knowledge Base', value: 'knowledgeBase' },
		{ name: 'Metadata', value: 'metadata' },
		{ name: 'Model', value: 'model' },
		{ name: 'Pipeline', value: 'pipeline' },
		{ name: 'Tag', value: 'tag' },
	],
	default: 'knowledgeBase',
};

/** With the sync, which looks at all items together. */
const described: Record<string, NodeResource> = Object.fromEntries(
	Object.entries(RESOURCES).map(([name, operations]) => [
		name,
		{
			operations: name === 'document' ? [...operations, documentSync] : operations,
			preset: PRESETS[name as Resource],
		},
	]),
);

export const properties: INodeProperties[] = [resourceField, ...resourceFields(described)];

/** Runs what the node is set to. The sync looks at all items together. */
export async function runKnowledge(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	return isSync(context)
		? await syncItems(context)
		: await runOnItems(context, (itemIndex) => operationOf(context, itemIndex));
}

function isSync(context: IExecuteFunctions): boolean {
	try {
		return chosen(context, 0).name === documentSync.option.value;
	} catch {
		// What cannot be read is told where the item is worked on.
		return false;
	}
}

function chosen(context: IExecuteFunctions, itemIndex: number): { resource: Resource; name: string } {
	const resource = new NodeParameters(context, itemIndex, [resourceField]).choice<Resource>('resource');
	return { resource, name: String(context.getNodeParameter('operation', itemIndex, PRESETS[resource])) };
}

/** The operation that an item chooses. @throws {ServerError} where an expression names one that does not exist */
export function operationOf(context: IExecuteFunctions, itemIndex: number): KnowledgeOperation {
	const { resource, name } = chosen(context, itemIndex);
	const operations: readonly KnowledgeOperation[] = RESOURCES[resource];
	const operation = operations.find(({ option }) => option.value === name);
	if (operation !== undefined) return operation;
	const values = operations.map(({ option }) => option.value).join(', ');
	throw failure(
		'invalidInput',
		{},
		{ message: `The resource "${resource}" has no operation "${name}"`, remedy: `Choose one in the node: ${values}.` },
	);
}
