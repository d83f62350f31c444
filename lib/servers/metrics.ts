/** Reading of llama-server's metrics. */
import { getOwn, setOwn } from '../values/own-properties';

/** Parses the Prometheus text of `/metrics`: the sum over all labels, by metric name. */
export function parseMetrics(text: string): Record<string, number> {
	const values: Record<string, number> = {};
	for (const [, name = '', value = ''] of text.matchAll(
		/^([a-z_:][a-z0-9_:]*)(?:\{[^}\n]*\})? ([0-9.eE+-]+)/gim,
	)) {
		const number = Number(value);
		if (Number.isFinite(number)) setOwn(values, name, (getOwn(values, name) ?? 0) + number);
	}
	return values;
}
