/** Operations that create or update a document, and their options. */
import type { DocumentContent, CreateOptions } from '../../../lib/dify/knowledge/write-document';
import { upsertDocument } from '../../../lib/dify/knowledge/write-document';
import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import { assertDocument } from '../../../lib/files/document';
import { omitEmpty } from '../../../lib/values/records';
import type { DifyCall, DifyOperation } from '../../shared/dify/dify-operation';
import { readFile, readId } from '../../shared/dify/dify-fields';
import {
	choiceField,
	optionsCollection,
	stringField,
	booleanField,
	integerField,
} from '../../shared/field-builders';
import {
	documentBinaryField,
	textField,
	indexingWaitField,
	datasetField,
	readModel,
	embeddingModelField,
	techniqueField,
} from '../fields';
import type { NodeParameters } from '../../shared/parameters';
import type { INodeProperties } from 'n8n-workflow';

interface SeparatorTexts {
	/** Default of the field. */
	initial: string;
	/** What it separates. */
	parts: string;
}

function separatorField(displayName: string, name: string, { initial, parts }: SeparatorTexts) {
	return stringField(displayName, name, {
		default: initial,
		description: `Where ${parts} end; \\n is a line break`,
	});
}

/** Options for splitting a text into chunks. */
const ruleOptions = [
	choiceField(
		'Chunking',
		'chunking',
		'automatic',
		{
			automatic: ['Automatic', 'Dify decides: paragraphs of up to 500 tokens'],
			custom: ['Custom', 'Use the options below'],
			hierarchical: ['Parent-Child', 'Search small chunks, return their larger parents'],
		},
		'How to split the text. If not set, as in the last document of the knowledge base.',
	),
	separatorField('Chunk Separator', 'separator', { initial: '\\n\\n', parts: 'chunks' }),
	integerField('Chunk Length', 'maxTokens', 500, [50], 'Maximum tokens per chunk, 50 to 4,000'),
	integerField('Chunk Overlap', 'chunkOverlap', 50, [0], 'Tokens shared by neighboring chunks'),
	separatorField('Child Separator', 'childSeparator', { initial: '\\n', parts: 'child chunks' }),
	integerField(
		'Child Length',
		'childMaxTokens',
		200,
		[50],
		'Maximum tokens per child chunk, 50 to 4,000',
	),
	booleanField(
		'Remove Extra Spaces',
		'removeExtraSpaces',
		true,
		'Whether to collapse consecutive spaces and line breaks into one',
	),
	booleanField(
		'Remove URLs and Email Addresses',
		'removeUrlsEmails',
		true,
		'Whether to remove them from the text',
	),
];

/** Options for the content of a document. */
export const contentOptions: INodeProperties[] = [
	...ruleOptions,
	stringField('Language', 'language', {
		default: 'English',
		description: 'Language in which Dify generates questions and answers in the Q&A form',
	}),
];

/** Options for the first document of a knowledge base. */
export const datasetSetupOptions: INodeProperties[] = [
	embeddingModelField(
		'Applies to the first document of a knowledge base. If not set, Dify uses the default model of the workspace.',
	),
	choiceField(
		'Form',
		'form',
		'text_model',
		{
			hierarchical_model: 'Parent-Child',
			qa_model: ['Q&A', 'A model generates questions and answers'],
			text_model: 'Text',
		},
		'Applies to the first document of a knowledge base and to all documents after it',
	),
	techniqueField('Applies to the first document of a knowledge base; cannot be changed later'),
];

/** Reads these options. */
export function readCreateOptions(parameters: NodeParameters): CreateOptions {
	const rule = readProcessRule(parameters);
	const form = parameters.choice('options.form', undefined);
	return {
		technique: parameters.choice('options.technique', undefined),
		embeddingModel: readModel(parameters, 'options.embeddingModel'),
		form: form ?? (rule?.mode === 'hierarchical' ? 'hierarchical_model' : undefined),
		language: parameters.string('options.language') || undefined,
		processRule: rule,
		ifExists: parameters.choice('options.ifExists', 'update'),
	};
}

const CUSTOM_OPTIONS = [
	'separator',
	'maxTokens',
	'chunkOverlap',
	'removeExtraSpaces',
	'removeUrlsEmails',
] as const;

const CHILD_OPTIONS = ['childSeparator', 'childMaxTokens'] as const;

/** Reads the chunking rule. Dify requires a complete one. */
function readProcessRule(parameters: NodeParameters) {
	const isAdded = (name: string) => parameters.value(`options.${name}`) !== undefined;
	const hasChildOptions = CHILD_OPTIONS.some(isAdded);
	const hasOptions = hasChildOptions || CUSTOM_OPTIONS.some(isAdded);
	const impliedMode = hasChildOptions ? 'hierarchical' : 'custom';
	const mode =
		parameters.choice('options.chunking', undefined) ?? (hasOptions ? impliedMode : undefined);
	if (mode === undefined) return undefined;
	if (mode === 'automatic' && hasOptions) {
		throw parameters.createError(
			'options.chunking',
			'is Automatic, so the other chunk options have no effect',
		);
	}
	if (mode === 'automatic') return { mode: 'automatic' };
	return {
		mode,
		rules: {
			pre_processing_rules: [
				{
					id: 'remove_extra_spaces',
					enabled: parameters.boolean('options.removeExtraSpaces', true),
				},
				{
					id: 'remove_urls_emails',
					enabled: parameters.boolean('options.removeUrlsEmails', false),
				},
			],
			...toSplittingFields(parameters, mode === 'hierarchical'),
		},
	};
}

function toSplittingFields(parameters: NodeParameters, hasChildren: boolean) {
	const segmentation = {
		separator: readSeparator(parameters, 'options.separator', '\n\n'),
		max_tokens: readTokens(parameters, 'options.maxTokens', 500),
		chunk_overlap: parameters.number('options.chunkOverlap', hasChildren ? 0 : 50),
	};
	if (!hasChildren) return { segmentation };
	return {
		segmentation,
		parent_mode: 'paragraph',
		subchunk_segmentation: {
			separator: readSeparator(parameters, 'options.childSeparator', '\n'),
			max_tokens: readTokens(parameters, 'options.childMaxTokens', 200),
			chunk_overlap: 0,
		},
	};
}

/** Reads a number of tokens, which Dify checks only during indexing. */
function readTokens(parameters: NodeParameters, path: string, defaultValue: number) {
	const tokens = parameters.number(path, defaultValue);
	if (tokens <= 4000) return tokens;
	throw parameters.createError(path, 'must be between 50 and 4,000');
}

/** Reads a separator, with `\n` for line break and `\t` for tab. Dify rejects an empty one. */
function readSeparator(parameters: NodeParameters, path: string, defaultValue: string) {
	const text = parameters.rawString(path);
	return text === '' ? defaultValue : text.replaceAll('\\n', '\n').replaceAll('\\t', '\t');
}

const options = optionsCollection([
	indexingWaitField,
	...contentOptions,
	...datasetSetupOptions,
	choiceField(
		'If It Exists',
		'ifExists',
		'update',
		{
			fail: 'Fail',
			skip: ['Skip', 'Leave the document unchanged'],
			update: ['Update', 'Replace the content; keep ID and metadata'],
		},
		'What to do if a document with this name exists. A disabled or archived document is enabled first, because Dify would create a duplicate.',
	),
]);

/** Operations that create or update one document. */
export const upsertOperations: DifyOperation[] = [
	{
		name: 'Create or Update From File',
		value: 'upsertFile',
		action: 'Create or update a document from a file',
		description: 'Create a document, or update the one with the same name',
		fields: [datasetField, documentBinaryField, options],
		execute: async (call) =>
			await upsert(call, { type: 'file', file: await readFile(call, assertDocument) }),
	},
	{
		name: 'Create or Update From Text',
		value: 'upsertText',
		action: 'Create or update a document from text',
		description: 'Create a document, or update the one with the same name',
		fields: [
			datasetField,
			stringField('Name', 'name', {
				required: true,
				description:
					'Name of the document, up to 200 characters. An existing document with this name is updated.',
			}),
			textField,
			options,
		],
		execute: async (call) => {
			const { parameters } = call;
			return await upsert(call, {
				type: 'text',
				name: parameters.requiredString('name'),
				text: parameters.rawString('text'),
			});
		},
	},
];

/** Creates or updates a document, and waits for indexing. */
async function upsert(call: DifyCall, content: DocumentContent) {
	const { client, parameters, hint } = call;
	const datasetId = readId(parameters, 'difyDatasetId');
	const result = await upsertDocument(client, {
		datasetId,
		content,
		options: readCreateOptions(parameters),
	});
	const { action, documentId, batch, document } = result;
	const item = {
		action,
		documentId,
		datasetId,
		name: document.name,
		batch,
	};
	const timeoutMs = parameters.milliseconds('options.wait', 300_000);
	if (action === 'skipped' || timeoutMs === 0) {
		return { json: { ...item, indexingStatus: document.indexing_status } };
	}
	const { status, total } = await waitForIndexing(
		client,
		{ datasetId, documentId, batch },
		timeoutMs,
	);
	const warnings =
		total === 0 ? ['Dify created no chunks for the document, so searches cannot find it.'] : [];
	warnings.forEach(hint);
	return { json: { ...item, indexingStatus: status, chunks: total, ...omitEmpty({ warnings }) } };
}
