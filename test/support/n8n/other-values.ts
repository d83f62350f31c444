/** Values of a field other than the one that it has, made from its description. */
import type {
	INodeParameters,
	INodeProperties,
	INodePropertyCollection,
	NodeParameterValueType,
} from 'n8n-workflow';

import { isDeepStrictEqual } from 'node:util';

/** Values of one kind of field. */
type Make = (field: INodeProperties) => NodeParameterValueType[];

const getChoices = ({ options = [] }: INodeProperties): NodeParameterValueType[] =>
	options.flatMap((option) => ('value' in option ? [option.value] : []));

/** Less than the default, since defaults are often the highest value; more if that is too low. */
const makeNumbers: Make = ({ default: value, typeOptions: { minValue = 0, maxValue } = {} }) => {
	const base = Number(value);
	const numbers = [minValue + 2, Math.floor(base / 2), base + 1, minValue + 1, minValue];
	return numbers
		.filter((number) => number !== base && number >= minValue && number <= (maxValue ?? Infinity))
		.slice(0, 1);
};

const MAKE_BY_TYPE: Readonly<Partial<Record<INodeProperties['type'], Make>>> = {
	boolean: () => [true, false],
	number: makeNumbers,
	options: getChoices,
	multiOptions: (field) => getChoices(field).map((choice) => [choice] as string[]),
	string: () => ['other'],
	json: () => ['{"other":1}'],
	resourceLocator: () => [{ __rl: true, mode: 'id', value: 'other' }],
	resourceMapper: () => [{ mappingMode: 'defineBelow', value: { text: 'other' } }] as never,
	collection: ({ options = [] }) =>
		(options as INodeProperties[]).flatMap((field) =>
			getOtherValues(field, field.default).map((value) => ({ [field.name]: value })),
		) as INodeParameters[],
	fixedCollection: ({ options = [] }) =>
		(options as INodePropertyCollection[]).map(({ name, values }) => ({
			[name]: [fillIn(values)],
		})),
};

/** A row whose fields all have another value. */
const fillIn = (fields: readonly INodeProperties[]): INodeParameters =>
	Object.fromEntries(
		fields.flatMap((field) => {
			const [value] = getOtherValues(field, field.default);
			return value === undefined ? [] : [[field.name, value]];
		}),
	) as INodeParameters;

/**
 * Values that a user can set, without `current`: each choice, both positions of a switch, a number and a text. None for
 * notices and buttons.
 */
export function getOtherValues(field: INodeProperties, current: unknown): NodeParameterValueType[] {
	const values = MAKE_BY_TYPE[field.type]?.(field) ?? [];
	return values.filter((value) => !isDeepStrictEqual(value, current));
}
