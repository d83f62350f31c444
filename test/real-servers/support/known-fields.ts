/**
 * The fields of a chat request that an installed server has. One that neither our rows send nor `known-fields.tsv` explains is
 * new: it becomes an option, a field of a server type, or a line of that table.
 */
import path from 'node:path';
import { GENERATION_OPTION_LIST } from '../../../lib/chat/body/generation-options';
import { SERVER_TYPES } from '../../../lib/servers/types';
import type { ServerTypeName } from '../../../lib/server-type-name';
import { asRecord } from '../../../lib/values/records';
import { readRows } from '../../support/files/rows';

/** What every chat sends, and what a format, a grammar, tools and thinking add. */
const SENT = [
	...['messages', 'model', 'stream', 'stream_options', 'tools', 'tool_choice'],
	...['response_format', 'grammar', 'chat_template_kwargs', 'reasoning_effort'],
];

/** The fields that no row has. */
export function findUnknownFields(name: ServerTypeName, fields: readonly string[]): string[] {
	const { fieldNames = {}, thinking } = SERVER_TYPES[name];
	const known = new Set([
		...SENT,
		...GENERATION_OPTION_LIST.flatMap((option) => [
			option.fieldName,
			fieldNames[option.name] ?? option.fieldName,
		]),
		...thinking.budgetFields,
		...readRows(path.join(__dirname, 'known-fields.tsv'))
			.filter(([server]) => server === name)
			.flatMap(([, names = '']) => names.split(' ')),
	]);
	return fields.filter((field) => !known.has(field));
}

/** The parameters that llama-server reports. */
export function readParameters(props: unknown): string[] {
	const settings = asRecord(asRecord(props).default_generation_settings);
	return Object.keys(asRecord(settings.params));
}

/** The fields of a chat request in the description of a FastAPI server. */
export function readChatSchema(openApi: unknown): string[] {
	const schemas = asRecord(asRecord(asRecord(openApi).components).schemas);
	return Object.keys(asRecord(asRecord(schemas.ChatCompletionRequest).properties));
}
