import type { IDataObject } from 'n8n-workflow';

/** Without what is undefined, which n8n would store as it is. */
export function plain(value: object): IDataObject {
	return JSON.parse(JSON.stringify(value)) as IDataObject;
}
