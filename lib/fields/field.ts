/**
 * The definition of a field that a person fills in: a field of a node, an option, a cell of a row. Everything else about it
 * is derived: n8n's entry of the panel, the check of its value with its error, the type of the value, the label in errors
 * and advice. A field that is sent is defined in the room of its request.
 */
import type { JsonRecord } from '../values/records';

/** What a field is to the model of an agent that has the node as a tool. */
export interface AgentArgument {
	/** Name of the argument in the tool that the model sees: letters, digits, `_` and `-`. */
	name: string;
	/** What the model should pass, as a sentence without a period. */
	description: string;
	/** As n8n names it: `json` is an array or an object. Default: `string`. */
	type?: 'string' | 'json';
}

/** What is known of a value besides the value. */
export interface ValueSource {
	/** The label of its field, for errors. */
	label: string;
	/** Whether the workflow has an expression there, even if that returned nothing. */
	isExpression: boolean;
}

/** What every field has. */
interface BaseField {
	/** The label in the editor, in errors and in advice. */
	label: string;
	/** The text behind the question mark. */
	description?: string;
	/** The text below the field. */
	hint?: string;
	/** What an empty field shows. */
	placeholder?: string;
	/** Whether the operation needs a value. */
	required?: true;
	/** What to do about an empty required field. Default: enter a value. */
	whenEmpty?: string;
	/** Whether the default applies if an expression returned nothing, instead of an error. Not for texts, where nothing is empty. */
	isOptional?: true;
	/** Whether n8n allows no expression. */
	isFixed?: true;
	/**
	 * Names of fields beside it, with the values of which each must have one. `/name` is a field of the node outside of a
	 * collection, and `@tool` tells whether the node is a tool of an agent. Default: shown.
	 */
	shownIf?: Readonly<Record<string, ReadonlyArray<string | boolean>>>;
	/** What an agent fills in. Default: nothing. */
	agent?: AgentArgument;
	/**
	 * Replaces the check of its kind, and decides the type of the value. It is called with whatever an expression returned,
	 * for an option only if that is a value.
	 *
	 * @throws a `ServerError` of type `invalidInput` that names the field.
	 */
	parse?(value: unknown, source: ValueSource): unknown;
}

/** A number. */
export interface NumberField extends BaseField {
	kind: 'number';
	default: number;
	/** The least and the greatest one. Default: any. */
	range?: readonly [min: number, max?: number];
	/** Whether a fraction is truncated: expressions often return one, and servers reject it. */
	isInteger?: true;
	/** Decimals that the editor keeps; with `isInteger` none. Default: all. */
	decimals?: number;
	/** A list of the numbers, instead of an input field. */
	menu?: ReadonlyArray<{ name: string; value: number }>;
}

/** A duration: seconds in the editor, milliseconds as a value. */
export interface SecondsField extends BaseField {
	kind: 'seconds';
	/** In seconds. */
	default: number;
	/** In seconds. Default: from 0, which is no limit. */
	range?: readonly [min: number, max?: number];
	/** Decimals that the editor keeps. Default: all. */
	decimals?: number;
}

/** A text, which stays as it was written. */
export interface TextField extends BaseField {
	kind: 'text';
	/** Default: empty. */
	default?: string;
	/** Lines of the input field. Default: one. */
	rows?: number;
	/** Whether the editor hides what is typed. */
	isSecret?: true;
}

/** A name, an ID or another short text, without spaces around it. */
export interface NameField extends BaseField {
	kind: 'name';
	/** Default: empty. */
	default?: string;
}

/** Any number of texts, each with an input field of its own. */
export interface TextsField extends BaseField {
	kind: 'texts';
	/** What the button says that adds one. */
	button: string;
}

/** A day and a time, as text. */
export interface TimeField extends BaseField {
	kind: 'time';
}

/** On or off. */
export interface SwitchField extends BaseField {
	kind: 'switch';
	default: boolean;
}

/** A choice in its list: its label, its label and its description, or all of these with the name of a trigger's event. */
export type ChoiceLabel =
	| string
	| readonly [label: string, description: string]
	| { readonly name: string; readonly action: string; readonly description?: string };

/** Labels by value, in the order of the list. */
export type Choices = Readonly<Record<string, ChoiceLabel>>;

/** One of several values. */
export interface ChoiceField extends BaseField {
	kind: 'choice';
	default: string;
	choices: Choices;
}

/** Any number of several values. */
export interface ChoicesField extends BaseField {
	kind: 'choices';
	/** Default: none. */
	default?: readonly string[];
	choices: Choices;
}

/** Any number of entries of a list that the node loads. */
export interface LoadedChoicesField extends BaseField {
	kind: 'loadedChoices';
	/** The node's method that loads them. */
	load: string;
}

/** A JSON object, or JSON text of one. Numbers that JavaScript cannot represent keep their digits. */
export interface JsonField extends BaseField {
	kind: 'json';
	/** JSON text. */
	default: string;
	/** Lines of the input field. Default: n8n's. */
	rows?: number;
}

/** An entry of a searchable list, or its ID or name. Its value is that text. */
export interface LocatorField extends BaseField {
	kind: 'locator';
	/** The node's list search. */
	search: string;
	/** How an entry is entered instead of selected. Default: by its ID. */
	entered?: ReadonlyArray<'id' | LocatorMode>;
}

/** A way to enter an entry of a list. */
export interface LocatorMode {
	/** The label of this way. */
	displayName: string;
	/** Default: `id`. */
	name?: string;
	placeholder: string;
}

/** A text between the fields, without a value. */
export interface NoticeField {
	kind: 'notice';
	/** The text. */
	label: string;
	shownIf?: BaseField['shownIf'];
	/** A class of n8n's editor. */
	containerClass?: string;
}

/** Optional fields, of which none is there until somebody adds it. n8n: collection. */
export interface OptionsField {
	kind: 'options';
	label: string;
	description?: string;
	shownIf?: BaseField['shownIf'];
	/** What the button adds. */
	entry: string;
	fields: FieldTable;
}

/** Any number of rows of the same fields. n8n: fixed collection. */
export interface RowsField {
	kind: 'rows';
	label: string;
	description?: string;
	shownIf?: BaseField['shownIf'];
	/** Label of a row; in lower case the name of the list of rows. */
	entry: string;
	fields: FieldTable;
	/** Whether a person can move rows. */
	isSortable?: true;
	/** Whether a credential is used although an expression in its rows fails. */
	ignoresFailedExpressions?: true;
}

/** A form whose fields are known at run time. n8n: resource mapper. */
export interface FormField {
	kind: 'form';
	label: string;
	description?: string;
	shownIf?: BaseField['shownIf'];
	/** The node's method that loads the form. */
	load: string;
}

/** A field with a value of its own. */
export type ValueField =
	| NumberField
	| SecondsField
	| TextField
	| NameField
	| TextsField
	| TimeField
	| SwitchField
	| ChoiceField
	| ChoicesField
	| LoadedChoicesField
	| JsonField
	| LocatorField;

/** Any field. */
export type Field = ValueField | NoticeField | OptionsField | RowsField | FormField;

/** Fields by name, in the order of the editor. Names are stored in workflows, so they stay. */
export interface FieldTable {
	readonly [name: string]: Field;
}

/** The value of a field. */
export type ValueOf<F> = F extends { parse: (...values: never[]) => infer V }
	? V
	: F extends { kind: 'number' | 'seconds' }
		? number
		: F extends { kind: 'switch' }
			? boolean
			: F extends { kind: 'choice'; choices: infer C }
				? Extract<keyof C, string>
				: F extends { kind: 'choices'; choices: infer C }
					? ReadonlyArray<Extract<keyof C, string>>
					: F extends { kind: 'texts' | 'loadedChoices' }
						? readonly string[]
						: F extends { kind: 'json' | 'form' }
							? JsonRecord
							: F extends { kind: 'options'; fields: infer T }
								? OptionValues<T>
								: F extends { kind: 'rows'; fields: infer T }
									? ReadonlyArray<Values<T>>
									: string;

/** Names of the fields that have a value. */
type ValueName<T> = {
	[N in keyof T]: T[N] extends { kind: 'notice' } ? never : N;
}[keyof T];

/** The values of fields. One that is not shown has none. */
export type Values<T> = {
	readonly [N in ValueName<T>]: T[N] extends { shownIf: object }
		? ValueOf<T[N]> | undefined
		: ValueOf<T[N]>;
};

/** The values of options. One that was not added, or whose expression returned nothing, has none. */
export type OptionValues<T> = {
	readonly [N in ValueName<T>]: ValueOf<T[N]> | undefined;
};
