import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import { failure } from '../../lib/errors/failure';
import { type NodeResource, resourceFields } from '../shared/run/operations';
import { NodeParameters } from '../shared/parameters';
import { runOnItems, type KnowledgeOperation } from './call';
import { childCreate, childDelete, childGet, childGetAll, childUpdate } from './child-chunk';
import { chunkCreate, chunkDelete, chunkGet, chunkGetAll, chunkUpdate } from './chunk';
import {
	documentDelete,
	documentDownload,
	documentDownloadZip,
	documentGet,
	documentGetAll,
	documentGetStatus,
	documentSetStatus,
} from './document';
import { documentUpdateFile, documentUpdateText, documentUpsertFile, documentUpsertText } from './document-write';
import { baseCreate, baseDelete, baseGet, baseGetAll, baseUpdate } from './knowledge-base';
import { builtInSet, fieldCreate, fieldDelete, fieldGetAll, fieldRename, metadataSet } from './metadata';
import { modelGetAll } from './model';
import { pipelineGetDatasources, pipelineRun, pipelineRunDatasource, pipelineUpload } from './pipeline';
import { baseRetrieve } from './retrieve';
import { documentSync, syncItems } from './sync';
import { tagBind, tagCreate, tagDelete, tagGetAll, tagGetOfBase, tagRename, tagUnbind } from './tag';

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
