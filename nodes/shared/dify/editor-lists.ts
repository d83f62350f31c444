/** Lists of the Dify nodes in the editor: what Dify has, to choose from. */
import type {
	ILoadOptionsFunctions,
	INodeListSearchResult,
	FieldType,
	ResourceMapperField,
	ResourceMapperFields,
} from 'n8n-workflow';
import type { DifyClient } from '../../../lib/dify/client';
import type { ListEndpoint } from '../../../lib/dify/pages';
import { parseOptionalUuid } from '../../../lib/dify/ids';
import { fetchPage, parseRecords } from '../../../lib/dify/pages';
import type { DifyKeyType } from '../../../lib/dify/credentials';
import { openDifyClient } from '../../../lib/dify/credentials';
import { createLocalError } from '../../../lib/dify/create-error';
import type { JsonRecord } from '../../../lib/values/records';
import { asArray, asNonEmptyString, asRecord } from '../../../lib/values/records';
import { tryOrUndefined } from '../../../lib/values/try-or-undefined';
import { pushAll } from '../../../lib/values/lists';
import {
	toListEntries,
	createListError,
	isExpression,
	toPlainName,
} from '../../../lib/n8n/list-entries';
import { buildConversationList } from '../../../lib/dify/app';
import { buildDocumentList } from '../../../lib/dify/knowledge/documents';
import { buildDatasetList } from '../../../lib/dify/knowledge/datasets';
import { toModelOptions } from '../../../lib/dify/knowledge/models';
import type { AppFormField, AppFormFieldType } from '../../../lib/dify/app-form';
import { parseAppForm } from '../../../lib/dify/app-form';
import { withEditorCredentials } from '../../../lib/n8n/editor-credential';
import { unwrapLocator } from '../fields/read-values';
import { toDifyNodeError } from './dify-node-error';
import { getOwn } from '../../../lib/values/own-properties';

interface ListSearchCall {
	context: ILoadOptionsFunctions;
	client: DifyClient;
	/** The search text, trimmed. */
	filter: string;
	/** Cursor of the next page. */
	token: string | undefined;
}

/** A list of a resource locator. */
export type ListSearch = (
	this: ILoadOptionsFunctions,
	filter?: string,
	token?: string,
) => Promise<INodeListSearchResult>;

/** A list search in the editor, with suggestions in errors. */
export function createListSearch(
	keyType: DifyKeyType,
	list: (call: ListSearchCall) => Promise<INodeListSearchResult>,
): ListSearch {
	return async function (this, filter = '', token) {
		try {
			const { results, ...rest } = await list({
				context: this,
				client: await openDifyClient(withEditorCredentials(this), keyType),
				filter: filter.trim(),
				token,
			});
			return { ...rest, results: toListEntries(results) };
		} catch (error) {
			throw createListError(this.getNode(), error);
		}
	};
}

/** Filters by name, for lists that Dify cannot search. */
export function filterByName(
	results: INodeListSearchResult['results'],
	filter: string,
): INodeListSearchResult {
	const query = filter.toLowerCase();
	return { results: results.filter(({ name }) => name.toLowerCase().includes(query)) };
}

/**
 * The user in the editor.
 *
 * @throws {ServerError} if it is empty, or an expression about an item, which the editor lacks
 */
export function readEditorUser(context: ILoadOptionsFunctions): string {
	const user = readEditorValue(context, 'user');
	if (typeof user === 'string' && user.trim() !== '') return user;
	throw createLocalError('missingUser', {
		title: 'The list requires a user',
		suggestion:
			"Enter a fixed value in User to list that user's conversations, or enter the conversation by ID.",
	});
}

/** The value of a field in the editor, if any; for a resource locator, its inner value. */
export function readEditorValue(context: ILoadOptionsFunctions, name: string): unknown {
	return unwrapLocator(tryOrUndefined(() => context.getNodeParameter(name, '')));
}

/**
 * The knowledge base of the node in the editor.
 *
 * @throws {ServerError} if none is selected
 */
export function readEditorDatasetId(context: ILoadOptionsFunctions): string {
	const id = parseOptionalUuid(readEditorValue(context, 'difyDatasetId'), 'knowledge base ID');
	if (id !== undefined) return id;
	throw createLocalError('invalidId', {
		title: 'The list requires a knowledge base',
		suggestion: 'Select the knowledge base first.',
	});
}

interface ListEntry {
	name: string;
	/** ID of the record. */
	value: string;
}

/** A record with its name, or with its ID if it has none. */
export function toRecordEntry({ id, name }: JsonRecord): ListEntry {
	return { name: asNonEmptyString(name) ?? String(id), value: String(id) };
}

/** Results that fill the list: the editor loads more only after scrolling (ResourceLocatorDropdown.vue). */
const FULL_LIST = 20;

/** Max pages for one search. */
const MAX_PAGES = 20;

/** Conversations of the user in the node, last used first, page by page. */
export const searchConversations: ListSearch = createListSearch(
	'app',
	async ({ context, client, filter, token }) => {
		const list = buildConversationList({ user: readEditorUser(context) });
		const query = filter.toLowerCase();
		const results: INodeListSearchResult['results'] = [];
		let next = token;
		for (let pages = 1; ; pages++) {
			const page = await fetchPage(client, list, { at: next });
			pushAll(
				results,
				page.records
					.map(toRecordEntry)
					.filter(
						({ name, value }) => name.toLowerCase().includes(query) || value.startsWith(query),
					),
			);
			next = asNonEmptyString(page.next);
			if (results.length >= FULL_LIST || next === undefined || pages === MAX_PAGES) {
				return { results, paginationToken: next };
			}
		}
	},
);

/** A page of a list, with a suffix after each name. */
async function fetchNamedPage(
	{ client, token }: ListSearchCall,
	list: ListEndpoint,
	getSuffix: (record: JsonRecord) => string,
) {
	const { records, next } = await fetchPage(client, list, { at: Number(token ?? 1) });
	const results = records.map((record) => {
		const { name, value } = toRecordEntry(record);
		return { name: name + getSuffix(record), value };
	});
	return { results, paginationToken: next?.toString() };
}

const TECHNIQUES: Record<string, string> = { high_quality: '', economy: ' (keywords)' };

/** All knowledge bases of the workspace, including those of other members. Dify filters them. */
export const searchKnowledgeBases: ListSearch = createListSearch(
	'knowledge',
	async (call) =>
		await fetchNamedPage(
			call,
			buildDatasetList(call.filter),
			({ indexing_technique: technique }) => getOwn(TECHNIQUES, String(technique)) ?? ' (empty)',
		),
);

/** Documents of the selected knowledge base, newest first. Dify filters them, case-sensitively. */
export const searchDocuments: ListSearch = createListSearch(
	'knowledge',
	async (call) =>
		await fetchNamedPage(
			call,
			buildDocumentList(readEditorDatasetId(call.context), { keyword: call.filter }),
			({ display_status: status }) => (status === 'available' ? '' : ` (${String(status)})`),
		),
);

/** Embedding models of the workspace, also those that cannot be used, with the reason. */
export const searchEmbeddingModels: ListSearch = createListSearch(
	'knowledge',
	async ({ client, filter }) => {
		const { data } = await client.get('/workspaces/current/models/model-types/text-embedding');
		return filterByName(toModelOptions(parseRecords(data)), filter);
	},
);

/** n8n does not reload when a credential is selected, only when this field is shown again (its ResourceMapper.vue). */
const NO_CREDENTIAL =
	'Once a credential is selected, set Inputs to As JSON and back to load the fields of the app.';

const NO_FORM = 'This app has no form to fill in.';

/** The app's form, as fields of the node. */
export async function getForm(this: ILoadOptionsFunctions): Promise<ResourceMapperFields> {
	// Kept after an error: the editor would hide the fields instead of showing an error, and drops values of fields that
	// are no longer listed (ResourceMapper.vue).
	const { schema } = asRecord(this.getCurrentNodeParameter('inputs'));
	const currentFields = asArray(schema) as ResourceMapperField[];
	// A node that was just added has no credential yet.
	if (this.getNode().credentials?.difyApi === undefined) {
		return { fields: currentFields, emptyFieldsNotice: NO_CREDENTIAL };
	}
	try {
		const client = await openDifyClient(withEditorCredentials(this), 'app');
		return {
			fields: parseAppForm(await client.get('/parameters'))
				.filter(({ variable }) => !isExpression(variable))
				.map(toMapperField),
			emptyFieldsNotice: NO_FORM,
		};
	} catch (error) {
		const { message, description } = toDifyNodeError(this.getNode(), error);
		return {
			fields: currentFields,
			emptyFieldsNotice: escapeHtml(
				`The form of the app could not be loaded. ${description || message}`,
			),
		};
	}
}

/** Escapes text, since the editor shows the notice as HTML. */
function escapeHtml(text: string) {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const EDITOR_TYPE_BY_FORM_TYPE: Record<AppFormFieldType, FieldType> = {
	'text-input': 'string',
	paragraph: 'string',
	select: 'options',
	number: 'number',
	checkbox: 'boolean',
	json_object: 'object',
	file: 'string',
	'file-list': 'string',
};

/** Notes for field types without an n8n input. The panel shows about 28 characters: the description of the form says more. */
const INPUT_HINTS: Partial<Record<AppFormFieldType, string>> = {
	file: 'file',
	'file-list': 'files',
};

function isDefaultValue(value: unknown): value is string | number | boolean {
	return ['string', 'number', 'boolean'].includes(typeof value) && !isExpression(value);
}

function toMapperField({
	type,
	variable,
	label,
	required,
	options,
	default: defaultValue,
}: AppFormField) {
	const notes = [INPUT_HINTS[type], required ? 'required' : undefined].flatMap(
		(note) => note ?? [],
	);
	const plainLabel = toPlainName(label);
	return {
		id: variable,
		displayName: notes.length === 0 ? plainLabel : `${plainLabel} (${notes.join(', ')})`,
		// The form may be that of another app after a change of the credential: only Dify knows what the app requires.
		required: false,
		defaultMatch: false,
		canBeUsedToMatch: false,
		display: true,
		type: EDITOR_TYPE_BY_FORM_TYPE[type],
		...(type === 'select' && {
			options: toListEntries(options.map((option) => ({ name: option, value: option }))),
		}),
		...(isDefaultValue(defaultValue) ? { defaultValue } : {}),
	};
}
