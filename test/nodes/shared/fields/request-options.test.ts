import type { FieldTable } from '../../../../lib/fields/field';
import { ItemSource } from '../../../../nodes/shared/fields/item-source';
import { optionsField } from '../../../../nodes/shared/fields/options-field';
import { readValues } from '../../../../nodes/shared/fields/read-values';
import {
	taskRequestOptions,
	toRequestSettings,
} from '../../../../nodes/shared/fields/request-options';
import { fakeContext } from '../../../support/n8n/context';

const FIELDS = { options: optionsField(taskRequestOptions) } as const satisfies FieldTable;

const toSettings = (options: Record<string, unknown>) => {
	const source = new ItemSource(fakeContext({ options }, {}).context, 0);
	return toRequestSettings(readValues(source, FIELDS).options);
};

it('nothing set: the default timeouts, three retries', () => {
	expect(toSettings({})).toEqual({ timeouts: {}, retries: 3 });
});

it('seconds become milliseconds; 0 is no limit', () => {
	expect(toSettings({ firstTokenTimeout: '0.5', maxRetries: 0 })).toEqual({
		timeouts: { firstTokenMs: 500 },
		retries: 0,
	});
	expect(toSettings({ firstTokenTimeout: 0 }).timeouts).toEqual({ firstTokenMs: 0 });
});

it.each([
	[{ firstTokenTimeout: -1 }, 'First Token Timeout'],
	[{ firstTokenTimeout: 'long' }, 'First Token Timeout'],
	[{ maxRetries: 21 }, 'Retries'],
])('%j is rejected with the field name', (options, field) => {
	expect(() => toSettings(options)).toThrow(field);
});
