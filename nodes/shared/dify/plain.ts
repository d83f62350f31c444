import type { IDataObject } from 'n8n-workflow';

/** Removes undefined values, which n8n would store. */
export function plain(value: object): IDataObject {
	return JSON.parse(JSON.stringify(value)) as IDataObject;
}

/** A hundred thousand events are not copied by `plain`: they hold nothing that is undefined. */
export function sentEvents(output: {
	include: readonly string[];
	events: readonly unknown[];
}): object {
	return output.include.includes('events') ? { events: output.events } : {};
}
