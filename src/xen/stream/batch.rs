//! PAGE_DATA: a list of PFNs with their types, then the contents of those that have any.

use super::cursor::Cursor;
use super::malformed::{Fault, Malformed};
use super::reader::{Page, Reader};
use super::records::{Kind, PAGE_SIZE, PageType};
use crate::xen::number::Pfn;

/// The PFN of a list's entry; its type is above, and between them are reserved bits.
pub(super) const PFN_BITS: u32 = 52;
/// The type of a list's entry.
pub(super) const TYPE_SHIFT: u32 = 60;

fn well_formed(entry: u64) -> bool {
    let reserved = entry << (64 - TYPE_SHIFT) >> (64 - TYPE_SHIFT) >> PFN_BITS;
    reserved == 0 && PageType::of(entry >> TYPE_SHIFT).is_some()
}

impl<'a> Reader<'a> {
    pub(super) fn batch(&mut self, body: &mut Cursor<'a>) -> Result<(), Malformed> {
        let count = body.field(Cursor::u32, "count", "1 at least", |count| count > 0)?;
        body.zeros(4, "reserved octet")?;
        let mut list = body.window(8 * u64::from(count))?;
        while list.left() > 0 {
            let here = list;
            let types = "a PFN of 52 bits, 8 bits reserved, a type but 5 to 8";
            let entry = list.field(Cursor::u64, "entry", types, well_formed)?;
            let pfn = entry & ((1 << PFN_BITS) - 1);
            let pages = self.stream.state.pages;
            if pfn >= pages {
                let what = "a page";
                return Err(here.fault(Fault::OutOfRange { what, pfn, pages }));
            }
            // `well_formed` saw to it that there is such a type.
            let kind = PageType::of(entry >> TYPE_SHIFT).unwrap_or(PageType::XTab);
            let at = if kind.has_contents() { *body } else { here };
            let contents = match kind.has_contents() {
                true => body.take(PAGE_SIZE as u64)?,
                false => &[],
            };
            let page = Page {
                kind,
                sent: kind.has_contents().then_some(kind),
                contents,
                record: self.index,
                at: at.at(),
            };
            self.keep(&here, Pfn(pfn), page)?;
        }
        Ok(())
    }

    /// A page replaces what was sent of it (contents, if it has any), or, after VERIFY, must equal it.
    fn keep(&mut self, entry: &Cursor<'a>, pfn: Pfn, page: Page<'a>) -> Result<(), Malformed> {
        let before = self.stream.pages.get(&pfn);
        if before.is_some_and(|before| before.record == page.record) {
            return Err(entry.fault(Fault::TwiceInBatch { pfn: pfn.0 }));
        }
        if self.order.seen(Kind::Verify) {
            let unsent = page.sent.is_none();
            let same =
                |old: &Page<'_>| old.kind == page.kind && (unsent || old.contents == page.contents);
            if !before.is_some_and(same) {
                return Err(entry.fault(Fault::Differs { pfn: pfn.0 }));
            }
        }
        let kept = before.filter(|_| page.sent.is_none());
        let page = kept.map_or(page, |before| Page {
            sent: before.sent,
            contents: before.contents,
            ..page
        });
        self.stream.pages.insert(pfn, page);
        Ok(())
    }
}
