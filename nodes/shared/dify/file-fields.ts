/** Fields for the file that an operation sends or stores, and for where Dify has its files. */
import { toName, toWrittenText } from '../../../lib/fields/check-value';
import type { NameField, TextField, ValueSource } from '../../../lib/fields/field';
import { parseOrigins } from '../../../lib/dify/download-file';
import type { FileSource } from '../../../lib/http/multipart';
import { createFileSource } from '../../../lib/n8n/binary';
import type { DifyCall } from './dify-operation';

/**
 * Field for the input binary field.
 *
 * @param contents - "the file", "the recording" and so on.
 */
export function inputFileField(contents: string): NameField {
	return {
		kind: 'name',
		label: 'Input Binary Field',
		default: 'data',
		required: true,
		hint: `The name of the input binary field with ${contents}`,
		whenEmpty: 'Enter the name of the field that contains the file.',
	};
}

/**
 * Reads the file of the input binary field.
 *
 * @param property - The name in this field.
 * @param assertFile - Throws for a file that cannot be sent, before the hints about how it is sent.
 */
export async function readFile(
	{ context, itemIndex, hint }: DifyCall,
	property: string,
	assertFile?: (file: FileSource) => void,
): Promise<FileSource> {
	const file = await createFileSource(context, itemIndex, property);
	assertFile?.(file);
	file.warnings?.forEach(hint);
	return file;
}

const DEFAULT_OUTPUT = 'data';

/** The field for the output binary field, which has its default if it is empty. */
export const outputFileField = {
	kind: 'name',
	label: 'Put Output File in Field',
	default: DEFAULT_OUTPUT,
	hint: 'The name of the output binary field to put the file in',
	parse: (value: unknown, source: ValueSource): string => toName(source, value) || DEFAULT_OUTPUT,
} as const satisfies NameField;

/** An option with additional origins of files. */
interface OriginsField extends TextField {
	/** @throws {ServerError} for invalid URLs */
	parse(value: unknown, source: ValueSource): string[];
}

/**
 * Option for additional origins of files.
 *
 * @param files - For example "files of the outputs".
 */
export function fetchFilesFromField(files: string): OriginsField {
	return {
		kind: 'text',
		label: 'Fetch Files From',
		placeholder: 'e.g. https://files.example.com',
		description: `Additional URLs, separated by commas, from which ${files} may be downloaded if this Dify stores its files elsewhere (FILES_URL, S3). The URL of the credential is always allowed.`,
		parse: (value, source) => parseOrigins(toWrittenText(source, value)),
	};
}
