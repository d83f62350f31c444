/** The chapter of inputs: values that are not sent. */
import { ERROR_TYPES, isRequestError } from '../error-types';
import type { Facts, MissingItemField, ValueSource } from '../facts';
import type { Row } from './row';
import { defineRow } from './row';

/** What to do about a value of which only the title says what is wrong with it. */
const INPUT_ADVICE: Readonly<Record<Facts['inputKind'], string>> = {
	field: 'Correct the field in the node.',
	option: 'Correct the option in the node.',
	emptyField: 'Enter a value, or correct the expression.',
};

/** For an item with which an earlier node has continued after its error. */
const OF_AN_ERROR =
	'The item is the error of an earlier node: remove such items before this node (Filter), or set On Error of that node to "Continue (using error output)".';

const REQUEST_ERRORS = ERROR_TYPES.filter(isRequestError);

export const INPUT_ROWS: readonly Row[] = [
	defineRow({
		types: REQUEST_ERRORS,
		needs: ['isFixedExpression'],
		tell: () =>
			'Switch the field to Expression (the toggle above it), so that n8n fills in the value.',
	}),
	// Nothing in the node is wrong: the item lacks what its expression reads.
	defineRow({
		types: REQUEST_ERRORS,
		needs: ['missingItemField', 'hasPlainAdvice'],
		tell: ({ missingItemField: missing }) => ({
			...nameMissing(missing),
			suggestion: missing.isOfError
				? OF_AN_ERROR
				: `${adviseOnSource(missing)}, or change the expression in "${missing.label}".`,
		}),
	}),
	// A field with its own advice keeps it.
	defineRow({
		types: REQUEST_ERRORS,
		needs: ['missingItemField'],
		tell: ({ missingItemField: missing }, general) => ({
			...nameMissing(missing),
			suggestion: missing.isOfError ? OF_AN_ERROR : general,
		}),
	}),
	defineRow({
		types: ['invalidInput'],
		needs: ['valueSource', 'hasPlainAdvice'],
		tell: ({ valueSource }) => adviseOnValue(valueSource),
	}),
	// Other types have their own advice, unless the value is that of an item.
	defineRow({
		types: REQUEST_ERRORS,
		needs: ['valueSource', 'hasPlainAdvice'],
		tell: ({ valueSource }) =>
			valueSource.from === 'expression' ? adviseOnValue(valueSource) : undefined,
	}),
	defineRow({
		types: ['invalidInput'],
		needs: ['hasPlainAdvice', 'inputKind'],
		tell: ({ inputKind }) => INPUT_ADVICE[inputKind],
	}),
];

function nameMissing({ name }: MissingItemField) {
	const title = `This item has no ${/\W/.test(name) ? `"${name}"` : name}`;
	return { title, detail: title };
}

/** How the item gets the field; for the field of a chat, only what is not done yet. */
function adviseOnSource({ source }: MissingItemField): string {
	if (source.kind === 'item') return 'Pass on a field with this name';
	return source.trigger === undefined
		? 'It comes from a Chat Trigger: start the workflow with one'
		: `Pass on this field of "${source.trigger}"`;
}

/** What to do about a value; undefined: only its title says it. */
function adviseOnValue({ from, problem, isTolerant }: ValueSource): string | undefined {
	if (from === 'node') return problem === 'empty' ? 'Enter a value.' : undefined;
	if (problem === 'wrong') return 'Correct the value in the item, or the expression.';
	return isTolerant
		? 'Fill in the value, or remove such items before this node (Filter).'
		: 'Fill in the value, remove such items before this node (Filter), or set Settings → On Error to Continue.';
}
