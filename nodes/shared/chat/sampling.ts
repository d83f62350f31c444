/** The options of a generation that were set. */
import type { GenerationOptionValues } from '../../../lib/chat/body/generation-options';
import { GENERATION_OPTION_LIST } from '../../../lib/chat/body/generation-options';
import type { SamplingSettings } from '../../../lib/chat/settings';
import type { JsonRecord } from '../../../lib/values/records';
import { omitEmpty } from '../../../lib/values/records';

/** Values of the options of a generation, of which an operation may have only some. */
export interface SamplingOptionValues extends Readonly<GenerationOptionValues> {
	readonly extraBody?: JsonRecord;
}

/** Reads all of these options. Those that the operation does not offer count as not added. */
export function toSamplingSettings(options: SamplingOptionValues): SamplingSettings {
	const values = GENERATION_OPTION_LIST.flatMap(({ name }) => {
		const value = options[name];
		return value === undefined ? [] : [[name, value] as const];
	});
	const { extraBody } = options;
	return { ...Object.fromEntries(values), ...omitEmpty({ extraBody }) };
}
