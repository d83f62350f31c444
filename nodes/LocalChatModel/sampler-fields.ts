import type { INodeProperties } from 'n8n-workflow';

import { takes } from '../../lib/chat/request/parameters';
import { SAMPLERS, type Sampler, type SamplerName } from '../../lib/chat/request/samplers';
import { samplerFields as fields } from '../shared/chat/sampler-fields';
import { shownWhere } from './server-types';

/** The options that go to the server as they are, each shown for the server types that take it. */
export const samplerFields: INodeProperties[] = fields.map((field) => {
	const name = field.name as SamplerName;
	const { extra }: Sampler = SAMPLERS[name];
	return extra === true ? { ...field, displayOptions: shownWhere((_traits, type) => takes(type, name)) } : field;
});
