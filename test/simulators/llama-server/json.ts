/** JSON of llama-server's library (nlohmann): doubles keep their decimal point (`0.0`, not `0`). */

/** A floating-point number, which is written with a decimal point. */
export class Float {
	constructor(readonly value: number) {}
}

/** A C++ `float` widened to double: 0.95 becomes 0.949999988079071. */
export const single = (value: number): Float => new Float(Math.fround(value));
export const double = (value: number): Float => new Float(value);

const floatText = (value: number): string => {
	if (!Number.isFinite(value)) return 'null';
	const magnitude = Math.abs(value);
	if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e15)) {
		const [digits = '', exponent = '0'] = value.toExponential().split('e');
		const power = Number(exponent);
		return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
	}
	return Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value);
};

/** Compact JSON; `undefined` members are left out. */
export const stringify = (value: unknown): string => {
	if (value instanceof Float) return floatText(value.value);
	if (Array.isArray(value)) return `[${value.map(stringify).join(',')}]`;
	if (value !== null && typeof value === 'object') {
		const members = Object.entries(value)
			.filter(([, member]) => member !== undefined)
			.map(([key, member]) => `${JSON.stringify(key)}:${stringify(member)}`);
		return `{${members.join(',')}}`;
	}
	return JSON.stringify(value) ?? 'null';
};

/** nlohmann's name for the type of a value, as in `type must be number, but is string`. */
export const typeName = (value: unknown): string => {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'array';
	return typeof value === 'object' ? 'object' : typeof value;
};

/** A problem as of the library's parser; undefined if the text is JSON. */
export const parseError = (text: string): string | undefined => {
	try {
		JSON.parse(text);
		return undefined;
	} catch (error) {
		return `[json.exception.parse_error.101] parse error at line 1: ${(error as Error).message}`;
	}
};
