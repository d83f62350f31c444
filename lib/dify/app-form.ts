/** The form that an app shows before the first message. */
import type { JsonRecord } from '../values/records';
import {
	asArray,
	isNonEmpty,
	isRecord,
	asNonEmptyString,
	asRecord,
	asRecords,
} from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import { toText } from '../values/text';
import type { FileRules } from './allowed-files';
import { parseFieldFileRules } from './allowed-files';

const FORM_FIELD_TYPES = [
	'text-input',
	'paragraph',
	'select',
	'number',
	'checkbox',
	'json_object',
	'file',
	'file-list',
] as const;

export type AppFormFieldType = (typeof FORM_FIELD_TYPES)[number];

/** A field of the form that an app shows before the first message (docs/protocols/dify.md 2.11). */
export interface AppFormField {
	type: AppFormFieldType;
	/** Name of the variable. */
	variable: string;
	label: string;
	required: boolean;
	/** As in Dify; missing if empty. */
	default?: unknown;
	/** Options of a select. */
	options: string[];
	/** Files that it accepts, if it is for files. */
	fileRules: FileRules | undefined;
	/** Maximum of characters or files. */
	maxLength: number | undefined;
}

/**
 * The form in `GET /parameters`. Fields of unknown types become text fields; `external_data_tool` is omitted, since
 * Dify sets it itself and fails on any value (docs/protocols/dify.md 2.1.2).
 */
export function parseAppForm(parameters: JsonRecord): AppFormField[] {
	const limits = asRecord(parameters.system_parameters);
	return asRecords(parameters.user_input_form).flatMap((entry) =>
		Object.entries(entry).flatMap(([name, settings]) => {
			const variable = isRecord(settings) ? asNonEmptyString(settings.variable) : undefined;
			if (!isRecord(settings) || variable === undefined || name === 'external_data_tool') return [];
			return [parseField(settings, { typeName: name, variable, limits })];
		}),
	);
}

function parseField(
	settings: JsonRecord,
	{ typeName, variable, limits }: { typeName: string; variable: string; limits: JsonRecord },
): AppFormField {
	return {
		type: FORM_FIELD_TYPES.find((type) => type === typeName) ?? 'text-input',
		variable,
		label: asNonEmptyString(settings.label) ?? variable,
		required: settings.required === true,
		...(isNonEmpty(settings.default) && { default: settings.default }),
		options: asArray(settings.options).map(toText),
		fileRules: parseFieldFileRules({ type: typeName, settings, limits }),
		maxLength: asFiniteNumber(settings.max_length),
	};
}
