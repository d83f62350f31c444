import type { IDataObject } from 'n8n-workflow';

/** Removes undefined values, which n8n would store. */
export function plain(value: object): IDataObject {
	return JSON.parse(JSON.stringify(value)) as IDataObject;
}
