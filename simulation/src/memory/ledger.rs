//! Faults, counts, rejections and incidents.

use std::collections::BTreeMap;

use store::{CountDelta, Incident, Refused, StoreError};
use tape::{EpochMs, Fault, FaultKind};

use super::checks;
use super::disk::{FaultRow, IncidentRow, TradeName};
use super::txn::Txn;
use super::view::View;

/// So much of a refused frame is kept.
const FRAME_BYTES: usize = 4_096;

/// So much of the reason why it was refused is.
const REASON_BYTES: usize = 512;

impl Txn {
    pub(super) async fn faults_insert(&self, faults: &[Fault], found_at: EpochMs) -> Result<(), StoreError> {
        self.step("faults_insert", faults.len()).await?;
        let (mut state, mut writes) = self.sight();
        for fault in faults {
            let key = ((fault.ticker.clone(), fault.id.clone()), state.take_id());
            writes.faults.insert(key, Some(FaultRow { fault: fault.clone(), found_at }));
        }
        Ok(())
    }

    pub(super) async fn missing_withdraw(&self, names: &[TradeName]) -> Result<Vec<TradeName>, StoreError> {
        self.step("missing_withdraw", names.len()).await?;
        let (state, mut writes) = self.sight();
        let mut view = View { held: &state.disk.faults, own: &mut writes.faults };
        let mut names = names.to_vec();
        names.sort();
        names.dedup();
        let mut withdrawn = Vec::new();
        for name in names {
            for (key, row) in view.range(&(name.clone(), 0), |key| key.0 == name) {
                if row.fault.kind == FaultKind::Missing {
                    view.take(&key);
                    withdrawn.push(name.clone());
                }
            }
        }
        Ok(withdrawn)
    }

    pub(super) async fn counts_add(&self, deltas: &[CountDelta]) -> Result<(), StoreError> {
        self.step("counts_add", deltas.len()).await?;
        let (state, mut writes) = self.sight();
        let mut sums: BTreeMap<(String, EpochMs, String), i64> = BTreeMap::new();
        for CountDelta { ticker, minute, kind, delta } in deltas {
            *sums.entry((ticker.clone(), *minute, kind.clone())).or_default() += delta;
        }
        let mut view = View { held: &state.disk.counts, own: &mut writes.counts };
        for (key, delta) in sums.into_iter().filter(|(_, delta)| *delta != 0) {
            let count = (view.get(&key).copied().unwrap_or(0) + delta).max(0);
            if count == 0 {
                view.take(&key);
            } else {
                view.put(key, count);
            }
        }
        Ok(())
    }

    pub(super) async fn rejections_insert(&self, refused: &[Refused]) -> Result<(), StoreError> {
        self.step("rejections_insert", refused.len()).await?;
        let (mut state, mut writes) = self.sight();
        for refused in refused {
            let reason = storable(&refused.reason, REASON_BYTES);
            let frame = storable(&refused.frame, FRAME_BYTES);
            let kept = Refused { reason, frame, ..refused.clone() };
            writes.rejections.insert(state.take_id(), Some(kept));
        }
        Ok(())
    }

    pub(super) async fn incidents_insert(&self, incidents: &[Incident], found_at: EpochMs) -> Result<u64, StoreError> {
        self.step("incidents_insert", incidents.len()).await?;
        let (state, mut writes) = self.sight();
        let mut view = View { held: &state.disk.incidents, own: &mut writes.incidents };
        let mut new = 0;
        for incident in incidents {
            self.checks("recording incidents", checks::incident(incident))?;
            let Incident { ticker, kind, from, to, detail } = incident;
            let key = (ticker.clone(), kind.clone(), *from);
            if view.get(&key).is_none() {
                view.put(key, IncidentRow { to: *to, detail: detail.clone(), found_at });
                new += 1;
            }
        }
        Ok(new)
    }
}

/// As many whole characters as fit, none of them a NUL.
fn storable(text: &str, bytes: usize) -> String {
    let shown = text.replace('\0', "\u{2400}");
    let fits = (0..=bytes.min(shown.len())).rev().find(|end| shown.is_char_boundary(*end));
    shown[..fits.unwrap_or(0)].to_owned()
}
