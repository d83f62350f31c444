/** Operations that create or update a document, and their options. */
import type { DocumentContent, CreateOptions } from '../../../lib/dify/knowledge/write-document';
import { upsertDocument } from '../../../lib/dify/knowledge/write-document';
import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import { assertDocument } from '../../../lib/files/document';
import { omitEmpty } from '../../../lib/values/records';
import type { FieldTable, NumberField, OptionValues } from '../../../lib/fields/field';
import { createFieldError } from '../../../lib/fields/field-errors';
import type { DifyCall, DifyOperation } from '../../shared/dify/dify-operation';
import { readFile } from '../../shared/dify/file-fields';
import { optionsField } from '../../shared/fields/options-field';
import { isAdded } from '../../shared/fields/read-values';
import { defineOperation } from '../../shared/items/define-operation';
import type { FieldValues } from '../../shared/items/define-operation';
import {
	datasetField,
	documentFileField,
	embeddingModelField,
	indexingWaitField,
	INDEXING_WAIT_MS,
	techniqueField,
	textField,
} from '../fields';

/** What a separator separates. */
function describeSeparator(parts: string) {
	return `Where ${parts} end; \\n is a line break`;
}

/** Options for the content of a document: how it is split into chunks, and its language. */
export const contentOptions = {
	chunking: {
		kind: 'choice',
		label: 'Chunking',
		default: 'automatic',
		choices: {
			automatic: ['Automatic', 'Dify decides: paragraphs of up to 500 tokens'],
			custom: ['Custom', 'Use the options below'],
			hierarchical: ['Parent-Child', 'Search small chunks, return their larger parents'],
		},
		description:
			'How to split the text. If not set, as in the last document of the knowledge base.',
	},
	separator: {
		kind: 'text',
		label: 'Chunk Separator',
		default: '\\n\\n',
		description: describeSeparator('chunks'),
	},
	maxTokens: {
		kind: 'number',
		label: 'Chunk Length',
		default: 500,
		range: [50],
		isInteger: true,
		description: 'Maximum tokens per chunk, 50 to 4,000',
	},
	chunkOverlap: {
		kind: 'number',
		label: 'Chunk Overlap',
		default: 50,
		range: [0],
		isInteger: true,
		description: 'Tokens shared by neighboring chunks',
	},
	childSeparator: {
		kind: 'text',
		label: 'Child Separator',
		default: '\\n',
		description: describeSeparator('child chunks'),
	},
	childMaxTokens: {
		kind: 'number',
		label: 'Child Length',
		default: 200,
		range: [50],
		isInteger: true,
		description: 'Maximum tokens per child chunk, 50 to 4,000',
	},
	removeExtraSpaces: {
		kind: 'switch',
		label: 'Remove Extra Spaces',
		default: true,
		description: 'Whether to collapse consecutive spaces and line breaks into one',
	},
	removeUrlsEmails: {
		kind: 'switch',
		label: 'Remove URLs and Email Addresses',
		default: true,
		description: 'Whether to remove them from the text',
	},
	language: {
		kind: 'name',
		label: 'Language',
		default: 'English',
		description: 'Language in which Dify generates questions and answers in the Q&A form',
	},
} as const satisfies FieldTable;

/** Options for the first document of a knowledge base. */
export const datasetSetupOptions = {
	embeddingModel: {
		...embeddingModelField,
		description:
			'Applies to the first document of a knowledge base. If not set, Dify uses the default model of the workspace.',
	},
	form: {
		kind: 'choice',
		label: 'Form',
		default: 'text_model',
		choices: {
			hierarchical_model: 'Parent-Child',
			qa_model: ['Q&A', 'A model generates questions and answers'],
			text_model: 'Text',
		},
		description: 'Applies to the first document of a knowledge base and to all documents after it',
	},
	technique: {
		...techniqueField,
		description: 'Applies to the first document of a knowledge base; cannot be changed later',
	},
} as const satisfies FieldTable;

type ContentOptions = OptionValues<typeof contentOptions>;

/** What these options say. */
export function toCreateOptions(
	options: ContentOptions & OptionValues<typeof datasetSetupOptions>,
): CreateOptions {
	const { technique, embeddingModel, form, language } = options;
	const rule = toProcessRule(options);
	return {
		technique,
		embeddingModel,
		form: form ?? (rule?.mode === 'hierarchical' ? 'hierarchical_model' : undefined),
		language: language || undefined,
		processRule: rule,
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

/** The chunking rule. Dify requires a complete one. */
function toProcessRule(options: ContentOptions) {
	const hasChildOptions = CHILD_OPTIONS.some((name) => isAdded(options, name));
	const hasOptions = hasChildOptions || CUSTOM_OPTIONS.some((name) => isAdded(options, name));
	const impliedMode = hasChildOptions ? 'hierarchical' : 'custom';
	const mode = options.chunking ?? (hasOptions ? impliedMode : undefined);
	if (mode === undefined) return undefined;
	if (mode === 'automatic' && hasOptions) {
		throw createFieldError(
			contentOptions.chunking,
			'is Automatic, so the other chunk options have no effect',
		);
	}
	if (mode === 'automatic') return { mode: 'automatic' };
	const { removeExtraSpaces = true, removeUrlsEmails = false } = options;
	return {
		mode,
		rules: {
			pre_processing_rules: [
				{ id: 'remove_extra_spaces', enabled: removeExtraSpaces },
				{ id: 'remove_urls_emails', enabled: removeUrlsEmails },
			],
			...toSplittingFields(options, mode === 'hierarchical'),
		},
	};
}

function toSplittingFields(options: ContentOptions, hasChildren: boolean) {
	const { maxTokens, childMaxTokens } = contentOptions;
	const segmentation = {
		separator: toSeparator(options.separator, '\n\n'),
		max_tokens: toTokens(maxTokens, options.maxTokens),
		chunk_overlap: options.chunkOverlap ?? (hasChildren ? 0 : 50),
	};
	if (!hasChildren) return { segmentation };
	return {
		segmentation,
		parent_mode: 'paragraph',
		subchunk_segmentation: {
			separator: toSeparator(options.childSeparator, '\n'),
			max_tokens: toTokens(childMaxTokens, options.childMaxTokens),
			chunk_overlap: 0,
		},
	};
}

/** A number of tokens, which Dify checks only during indexing. */
function toTokens(field: NumberField, tokens = field.default) {
	if (tokens <= 4000) return tokens;
	throw createFieldError(field, 'must be between 50 and 4,000');
}

/** A separator, with `\n` for line break and `\t` for tab. Dify rejects an empty one. */
function toSeparator(text: string | undefined, defaultValue: string) {
	return text ? text.replaceAll('\\n', '\n').replaceAll('\\t', '\t') : defaultValue;
}

const options = optionsField({
	wait: indexingWaitField,
	...contentOptions,
	...datasetSetupOptions,
	ifExists: {
		kind: 'choice',
		label: 'If It Exists',
		default: 'update',
		choices: {
			fail: 'Fail',
			skip: ['Skip', 'Leave the document unchanged'],
			update: ['Update', 'Replace the content; keep ID and metadata'],
		},
		description:
			'What to do if a document with this name exists. A disabled or archived document is enabled first, because Dify would create a duplicate.',
	},
});

const fileFields = {
	difyDatasetId: datasetField,
	binaryPropertyName: documentFileField,
	options,
} as const satisfies FieldTable;

const textFields = {
	difyDatasetId: datasetField,
	name: {
		kind: 'name',
		label: 'Name',
		required: true,
		description:
			'Name of the document, up to 200 characters. An existing document with this name is updated.',
	},
	text: textField,
	options,
} as const satisfies FieldTable;

/** Operations that create or update one document. */
export const upsertOperations: DifyOperation[] = [
	defineOperation({
		name: 'Create or Update From File',
		value: 'upsertFile',
		action: 'Create or update a document from a file',
		description: 'Create a document, or update the one with the same name',
		fields: fileFields,
		execute: async (call: DifyCall & FieldValues<typeof fileFields>) => {
			const file = await readFile(call, call.values.binaryPropertyName, assertDocument);
			return await upsert(call, { type: 'file', file });
		},
	}),
	defineOperation({
		name: 'Create or Update From Text',
		value: 'upsertText',
		action: 'Create or update a document from text',
		description: 'Create a document, or update the one with the same name',
		fields: textFields,
		execute: async (call: DifyCall & FieldValues<typeof textFields>) => {
			const { name, text } = call.values;
			return await upsert(call, { type: 'text', name, text });
		},
	}),
];

type UpsertCall = DifyCall & {
	values: Pick<FieldValues<typeof fileFields>['values'], 'difyDatasetId' | 'options'>;
};

/** Creates or updates a document, and waits for indexing. */
async function upsert({ client, hint, values }: UpsertCall, content: DocumentContent) {
	const { difyDatasetId: datasetId, options } = values;
	const { ifExists = 'update', wait: timeoutMs = INDEXING_WAIT_MS } = options;
	const result = await upsertDocument(client, {
		datasetId,
		content,
		options: { ...toCreateOptions(options), ifExists },
	});
	const { action, documentId, batch, document } = result;
	const item = {
		action,
		documentId,
		datasetId,
		name: document.name,
		batch,
	};
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
