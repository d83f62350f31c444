/** Prometheus text, as `/metrics` gives it: the sum over the labels of each name. */
export function metricsOf(text: string): Record<string, number> {
	const values: Record<string, number> = {};
	for (const [, name = '', value = ''] of text.matchAll(/^([a-z_:][a-z0-9_:]*)(?:\{[^}]*\})? ([0-9.eE+-]+)/gim)) {
		const number = Number(value);
		if (Number.isFinite(number)) values[name] = (values[name] ?? 0) + number;
	}
	return values;
}
