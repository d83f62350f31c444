import type { Route, UserFrom } from '../routes';
import type { Handler } from '../store';
import * as bases from './bases';
import * as documents from './documents';
import { retrieve } from './retrieval';

type Row = [method: string, path: string, user: UserFrom, handler: Handler, over?: Partial<Route>];

const json: Partial<Route> = { body: 'json' };
const upload: Partial<Route> = { body: 'upload' };

const BASE = '/datasets/{}';
const DOCUMENT = `${BASE}/documents/{}`;
const SEGMENT = `${DOCUMENT}/segments/{}`;

/** Routes of the knowledge API; fixed paths before patterns. */
export const KNOWLEDGE_ROUTES: Row[] = [
	['GET', '/datasets', 'none', bases.listDatasets],
	['POST', '/datasets', 'none', bases.createDataset, json],
	['POST', '/datasets/pipeline/file-upload', 'none', bases.uploadForPipeline, upload],
	['GET', `${BASE}/pipeline/datasource-plugins`, 'none', bases.listDatasources],
	['POST', `${BASE}/pipeline/run`, 'none', bases.runPipeline, json],
	['GET', BASE, 'none', bases.getDataset],
	['PATCH', BASE, 'none', bases.changeDataset, json],
	['DELETE', BASE, 'none', bases.deleteDataset],
	['POST', `${BASE}/retrieve`, 'none', retrieve, json],
	['POST', `${BASE}/document/create-by-text`, 'none', documents.createByText, json],
	['POST', `${BASE}/document/create-by-file`, 'none', documents.createByFile, upload],
	['GET', `${BASE}/documents`, 'none', documents.listDocuments],
	['GET', `${BASE}/documents/*/indexing-status`, 'none', documents.indexingStatus],
	['PATCH', `${BASE}/documents/status/*`, 'none', documents.setStatus, json],
	['POST', `${BASE}/documents/metadata`, 'none', documents.setMetadata, json],
	['GET', DOCUMENT, 'none', documents.getDocument],
	['DELETE', DOCUMENT, 'none', documents.deleteDocument],
	['GET', `${DOCUMENT}/download`, 'none', documents.downloadDocument],
	['GET', `${DOCUMENT}/segments`, 'none', documents.listSegments],
	['POST', `${DOCUMENT}/segments`, 'none', documents.createSegments, json],
	['GET', SEGMENT, 'none', documents.oneSegment],
	['POST', SEGMENT, 'none', documents.oneSegment, json],
	['DELETE', SEGMENT, 'none', documents.oneSegment],
	['GET', `${BASE}/metadata`, 'none', documents.listFields],
	['POST', `${BASE}/metadata`, 'none', documents.createField, json],
	['GET', '/workspaces/current/models/model-types/*', 'none', bases.listModels],
];
