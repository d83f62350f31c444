/** Files of file fields, in the form of an app or of a paused run. */
import type { AppFormField } from '../../../lib/dify/app-form';
import type { JsonRecord } from '../../../lib/values/records';
import { asNonEmptyString, isRecord, isUnset } from '../../../lib/values/records';
import { parseJsonExactly } from '../../../lib/values/exact-json';
import { toText } from '../../../lib/values/text';
import type { DifyCall } from './dify-operation';
import { isMissingInMessage } from '../items/chat-files';
import {
	parseFileUrl,
	splitFileNames,
	FILE_SUGGESTION,
	withTransferMethod,
} from '../../../lib/dify/file-references';
import { assertAcceptedFiles } from '../../../lib/dify/allowed-files';
import { createLocalError } from '../../../lib/dify/create-error';
import type { FileRequest } from './file-requests';
import {
	getBinaryFields,
	getCandidates,
	toDifyRequest,
	toUrlRequest,
	toUploadRequest,
	sendFiles,
} from './file-requests';
import { getOwn, setOwn } from '../../../lib/values/own-properties';

/** A file field of the app's form or of a human input form. */
interface FileField extends Pick<AppFormField, 'variable' | 'label' | 'fileRules'> {
	/** Dify's type of the field. */
	type: string;
}

/** The files of file fields, read and not yet uploaded. */
export interface FormFiles {
	/** Binary fields that they name. */
	binaryFields: readonly string[];
	/** Uploads them, and returns the inputs to send. */
	upload(user: string): Promise<JsonRecord>;
}

/**
 * Reads the files of file fields, which are uploaded after all checks.
 *
 * @param input values by variable
 */
export async function readFiles(
	call: DifyCall,
	input: JsonRecord,
	fields: readonly FileField[],
): Promise<FormFiles> {
	const fieldFiles: FieldFiles[] = [];
	for (const field of fields) {
		const entries = parseFileEntries(getOwn(input, field.variable));
		const files = await readFormFiles(call, entries);
		assertAcceptedFiles(getCandidates(files), {
			rules: field.fileRules,
			formField: field.label,
			host: call.client.host,
		});
		if (entries.length > 0) fieldFiles.push({ field, files });
	}
	return {
		binaryFields: fieldFiles.flatMap(({ files }) => getBinaryFields(files)),
		upload: async (user) => {
			const inputs: JsonRecord = {};
			for (const { field, files } of fieldFiles) {
				const { type, variable, fileRules } = field;
				const sent = await sendFiles(files, user, fileRules?.types);
				const isList = sent.length > 1 || (type === 'file-list' && sent.length > 0);
				// Undefined if the chat message has none of the files, in place of their names.
				setOwn(inputs, variable, isList ? sent : sent[0]);
			}
			return inputs;
		},
	};
}

/** A file field with its files. */
interface FieldFiles {
	field: FileField;
	files: FileRequest[];
}

/** Whether a field of a form takes files. */
export function isFileField({ type }: Pick<FileField, 'type'>): boolean {
	return type === 'file' || type === 'file-list';
}

/**
 * The values of a file field in the app's form: names of binary fields, URLs, or Dify's file objects, which are sent
 * unchanged. Several values are an array, JSON text of one, or separated by commas.
 */
function parseFileEntries(value: unknown): unknown[] {
	if (isUnset(value)) return [];
	if (typeof value !== 'string') return [value].flat();
	const parsed = /^\s*[[{]/.test(value) ? parseJsonExactly(value) : undefined;
	return parsed === undefined ? splitFileNames(value) : [parsed].flat();
}

/** The files of such a field. */
async function readFormFiles(call: DifyCall, entries: readonly unknown[]) {
	const files: FileRequest[] = [];
	for (const entry of entries) {
		if (isRecord(entry)) {
			files.push(await toRecordRequest(call, entry));
			continue;
		}
		const name = typeof entry === 'string' ? entry.trim() : undefined;
		if (name === undefined) {
			throw createLocalError('invalidInputs', {
				title: `A file in the inputs must be a string, but is ${toText(entry).slice(0, 100)}`,
				suggestion: FILE_SUGGESTION,
			});
		}
		if (/^https?:/i.test(name)) files.push(toUrlRequest(parseFileUrl(name)));
		else if (name !== '' && !isMissingInMessage(call, name))
			files.push(await toUploadRequest(call, name));
	}
	return files;
}

/** A file object of Dify, or a file as n8n describes it: `{{ $binary.Document }}`, or `{{ $json.Document }}` of a form. */
async function toRecordRequest(call: DifyCall, record: JsonRecord): Promise<FileRequest> {
	const fileName = asNonEmptyString(record.fileName) ?? asNonEmptyString(record.filename);
	const isOfDify = ['transfer_method', 'upload_file_id', 'url'].some((name) =>
		Object.hasOwn(record, name),
	);
	if (fileName === undefined || isOfDify) return toDifyRequest(withTransferMethod(record));
	const { binary = {} } = call.context.getInputData()[call.itemIndex] ?? {};
	const names = Object.keys(binary).filter((name) => getOwn(binary, name)?.fileName === fileName);
	const [name, ...others] = names;
	if (name !== undefined && others.length === 0) return await toUploadRequest(call, name);
	throw createLocalError('invalidInputs', {
		title: `The inputs describe the file "${fileName.slice(0, 100)}" instead of naming its binary field`,
		suggestion: `Enter ${(names.length > 0 ? names : Object.keys(binary)).slice(0, 20).join(' or ') || 'the name of its binary field'} in the field, as fixed text.`,
	});
}
