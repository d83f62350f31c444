/** The chapter of inputs: values that are not sent. */
import type { Facts } from '../facts';
import type { Row } from './row';
import { defineRow } from './row';

/** What to do about a value of which only the title says what is wrong with it. */
const INPUT_ADVICE: Readonly<Record<Facts['inputKind'], string>> = {
	field: 'Correct the field in the node.',
	option: 'Correct the option in the node.',
	emptyField: 'Enter a value, or correct the expression.',
};

export const INPUT_ROWS: readonly Row[] = [
	defineRow({
		types: ['invalidInput'],
		needs: ['hasPlainAdvice', 'inputKind'],
		tell: ({ inputKind }) => INPUT_ADVICE[inputKind],
	}),
];
